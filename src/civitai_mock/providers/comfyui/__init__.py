"""The provider that runs graphs on real ComfyUI servers: thin transports around pure protocol functions."""
