"""A stand-in for a ComfyUI server: it serves the HTTP and WebSocket protocol of version 0.3.64, in simulated time."""

COMFYUI_VERSION = "0.3.64"
