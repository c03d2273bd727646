"""Use cases: what callers can ask for, whatever API they use.

Each is built once with its ports, and called for each request.
"""
