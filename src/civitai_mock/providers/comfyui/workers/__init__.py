"""Workers, one for each server: whether they are up, what they run, and who may use them next."""
