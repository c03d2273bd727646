"""Graphs in the names of the server that is to run them: no I/O."""
