"""One use case a file. A use case is made once, with its ports, and called for each request."""
