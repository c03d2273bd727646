"""State of a stand-in: its installation, queue, history, files, users, statistics and log."""
