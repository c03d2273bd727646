"""Whether a prompt may run: node definitions, and what ComfyUI says about a graph that does not fit them."""
