"""The stream of events: what happens to jobs is told to whoever listens, as it happens, and again to who comes back."""
