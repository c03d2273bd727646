"""The commands of `civitai-mock`."""
