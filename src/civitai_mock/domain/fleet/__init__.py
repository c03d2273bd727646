"""The simulated fleet of GPU pods: what it is made of, which provider gets which jobs, and how a pod lives."""
