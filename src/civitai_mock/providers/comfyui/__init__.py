"""Real ComfyUI servers: thin transports around pure protocol functions."""
