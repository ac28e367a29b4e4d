"""`cronicorn leases compare`: the same load and the same faults for every mechanism, measured from outside."""
