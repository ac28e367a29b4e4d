"""Finding endpoints across all jobs of a tenant: by words, and by when they are due."""
