"""What a browser is shown: the page of `/`, the API reference, and the files that both load from this server."""
