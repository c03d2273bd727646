"""A stand-in ComfyUI server: the HTTP and WebSocket protocol of version 0.3.64, in simulated time."""

COMFYUI_VERSION = "0.3.64"
