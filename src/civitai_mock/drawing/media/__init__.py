"""Files of v2's steps: images in several formats, videos, sounds and others, and what is made of such files."""
