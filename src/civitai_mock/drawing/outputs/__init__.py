"""The files that output nodes make: images, animations, videos, sound, latents, models."""
