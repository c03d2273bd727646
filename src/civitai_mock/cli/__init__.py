"""The command line: arguments, commands, how a process starts and stops, and the health check."""
