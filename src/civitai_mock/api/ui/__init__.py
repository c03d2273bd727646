"""The pages for browsers: the overview at `/`, the API reference, and the files that both load from this server."""
