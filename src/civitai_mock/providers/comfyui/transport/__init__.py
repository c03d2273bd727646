"""Transports to one ComfyUI server: HTTP and WebSocket."""
