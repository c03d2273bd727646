"""The door at which faults hit requests: before they are carried out, in their place, or in their answers.

It stands in the pipeline, and is loaded for the first namespace that has a rule, or request that asks for a fault.
"""
