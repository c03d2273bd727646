"""Prompts at work: the worker, the order of nodes, their cache, and what they make."""
