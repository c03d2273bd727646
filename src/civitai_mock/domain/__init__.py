"""Plain values and their rules, which need neither I/O nor a framework."""
