"""Snapshots of namespaces: one zip with everything that there is of one, and a namespace made of it again."""
