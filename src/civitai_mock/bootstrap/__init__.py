"""Open the parts and put them together, in two scopes: the process, and one namespace in it.

`open_runtime` opens what lives as long as the process: settings, stores, provider, connections. `make_namespace` adds
what belongs to one isolated world: clock, ids, event bus, use cases. `make_scheduler` makes the loop that runs the jobs
of a namespace, and `Application` serves it over HTTP. Tests use the same functions, and give them the parts that they
replace.
"""
