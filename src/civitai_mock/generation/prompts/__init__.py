"""Prompt texts are turned from the notation of A1111 into that of ComfyUI, and get the words of networks."""
