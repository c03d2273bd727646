"""ImageContent that guide the drawing: how a request asks for them, and what they come to."""
