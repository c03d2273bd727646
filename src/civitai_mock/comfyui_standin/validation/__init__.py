"""Validation of prompts: node definitions, and ComfyUI's errors about a graph that does not fit them."""
