"""The registry of `$type`s."""
