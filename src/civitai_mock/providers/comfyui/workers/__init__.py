"""Servers as workers: whether they are there, what they run, and who may use them next."""
