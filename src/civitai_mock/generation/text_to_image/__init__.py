"""textToImage makes images from a prompt text: how a request describes them, and the graphs that make them."""
