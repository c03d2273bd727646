"""Plain values: no I/O, no framework."""
