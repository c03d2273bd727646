"""All routes of the control plane; the module is loaded for the first request to one of them, or for their description.

A new noun is a module beside this one, and a line here.
"""

from collections.abc import Sequence

from civitai_mock.api.mock import (
    clock,
    events,
    faults,
    graphs,
    jobs,
    journal,
    namespaces,
    orders,
    presets,
    progress,
    queue,
    scenarios,
    settings,
    snapshots,
    styles,
    workers,
    workflows,
)
from civitai_mock.api.openapi import DescribedRoute

ROUTES: Sequence[DescribedRoute] = [
    *namespaces.ROUTES,
    *snapshots.ROUTES,
    *clock.ROUTES,
    *jobs.ROUTES,
    *orders.ROUTES,
    *progress.ROUTES,
    *graphs.ROUTES,
    *workflows.ROUTES,
    *queue.ROUTES,
    *workers.ROUTES,
    *settings.ROUTES,
    *journal.ROUTES,
    *presets.ROUTES,
    *faults.ROUTES,
    *scenarios.ROUTES,
    *events.ROUTES,
    *styles.ROUTES,
]
