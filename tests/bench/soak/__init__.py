"""A soak: steady load on an API and two schedulers that are killed all the time: `python -m tests.bench soak`.

Namespaces with clocks and faults live through it. What it does to all of them is drawn from a seed. In the end it asks
for everything that it was promised.
"""
