"""The protocol of ComfyUI without I/O: what servers say, as plain values, and what follows from it."""
