"""What ComfyUI says, as plain values, and what follows from it: no I/O."""
