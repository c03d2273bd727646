"""Put the parts together: a `runtime` for the process, a `namespace` in it, and what works in that namespace.

`open_runtime` opens what lives as long as the process. `make_namespace` makes the use cases of one isolated world from
it, `make_scheduler` the loop that runs its jobs, and `Application` serves it over HTTP. Tests use the same functions.
"""
