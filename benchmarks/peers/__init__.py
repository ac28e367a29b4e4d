"""Other schedulers and task queues, each at its documented best for HTTP jobs; run by `benchmarks.contest`."""
