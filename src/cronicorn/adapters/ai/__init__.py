"""Language models, through pydantic-ai; the extra `ai`."""
