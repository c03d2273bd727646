"""The journal: what was asked of each namespace and answered, kept by each process, read as one, and verified."""
