"""What a picture may have beyond a prompt text and networks, one feature a file."""
