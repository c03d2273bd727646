"""Time in: claims jobs and walks each through its stages."""
