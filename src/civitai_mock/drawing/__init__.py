"""Draw files that stand in for those of models: images, videos, sound, and the pixels that plain nodes compute."""
