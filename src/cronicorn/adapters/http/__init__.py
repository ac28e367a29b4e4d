"""The `Dispatcher` port over libcurl: guarded, bounded, and never surprised by what a server answers."""
