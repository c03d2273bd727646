"""Prepare graphs for the server that is to run them, in its own file names; no I/O."""
