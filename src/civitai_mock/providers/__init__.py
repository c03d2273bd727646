"""Graphs out: what runs them, each behind the port `Provider`."""
