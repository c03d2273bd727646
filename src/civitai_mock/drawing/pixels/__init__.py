"""Compute the pixels of a graph's images: what was loaded, and what plain image nodes make of it."""
