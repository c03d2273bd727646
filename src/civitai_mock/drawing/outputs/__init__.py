"""The files that output nodes make: pictures, animations, videos, sound, latents, models."""
