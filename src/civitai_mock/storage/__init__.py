"""Where jobs, resources and blobs are kept: one folder per kind of store, each behind the same ports."""
