"""Faults in a namespace: which rule fires, what is decided and kept for jobs and blobs, and how rules are set."""
