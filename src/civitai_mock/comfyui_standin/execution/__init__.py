"""Execution of prompts: the worker, the order of nodes, their cache, and what they make."""
