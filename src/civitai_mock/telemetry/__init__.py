"""What a process tells about itself: its log, and its metrics."""
