"""How fast we are, measured beside servers that do less in the same run: `python -m tests.bench`.

It knows of the product what everybody can know: the command line, HTTP, and the counters of `/metrics`.
"""
