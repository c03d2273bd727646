"""HTTP and WebSocket to one server."""
