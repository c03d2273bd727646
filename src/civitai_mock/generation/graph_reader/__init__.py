"""Read any graph in API format: its links, samplers, images and outputs, and the texts that say how it made them."""
