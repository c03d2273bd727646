"""Transports that speak HTTP and WebSocket with one ComfyUI server."""
