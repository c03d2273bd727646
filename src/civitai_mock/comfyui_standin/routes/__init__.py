"""Routes of a stand-in, over HTTP and WebSocket."""
