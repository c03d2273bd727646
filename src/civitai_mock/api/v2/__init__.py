"""The resources, with a management surface of our own."""
