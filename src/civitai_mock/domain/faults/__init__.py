"""Faults: rules that make things go wrong on purpose, each with what it matches, what it does, and how often."""
