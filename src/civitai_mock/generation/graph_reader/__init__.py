"""Facts of any API-format graph, and the metadata of its images that follow from them."""
