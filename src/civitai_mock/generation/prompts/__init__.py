"""Prompt texts, in the notations of their users and of ComfyUI."""
