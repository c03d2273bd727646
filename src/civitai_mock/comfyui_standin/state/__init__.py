"""What a stand-in keeps: queue, history, files, models, users."""
