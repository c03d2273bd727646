"""Files of version 2."""
