"""Connections to other servers: those that callers name, behind a guard, and what all connections share."""
