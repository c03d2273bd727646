"""A provider that needs no ComfyUI: it reads graphs, takes its time, and draws."""
