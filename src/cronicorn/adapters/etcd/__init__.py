"""Claims in etcd: keys under leases, judged by the cluster's leader."""
