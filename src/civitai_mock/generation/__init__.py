"""Turn requests into work and graphs, without I/O, and read graphs of any origin."""
