"""Paint pictures; slow to import, because of numpy and Pillow."""
