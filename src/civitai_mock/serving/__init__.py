"""Serve the app on sockets of our own: connections with limits, ports in use, graceful stop."""
