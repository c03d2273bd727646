"""Request in, graph out, no I/O."""
