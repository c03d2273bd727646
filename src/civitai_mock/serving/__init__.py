"""Serve apps over HTTP on sockets of our own, with limits that no client can hold up."""
