"""What is kept in memory: queue, history and files."""
