"""Messages over WebSockets, and who gets them."""
