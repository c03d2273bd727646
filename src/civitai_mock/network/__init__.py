"""Guarded connections to hosts that callers name."""
