"""Facts of any API-format graph, and the metadata of its pictures that follow from them."""
