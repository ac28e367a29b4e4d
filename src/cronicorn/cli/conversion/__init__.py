"""Making files of jobs of what other schedulers run: crontabs and Kubernetes CronJobs."""
