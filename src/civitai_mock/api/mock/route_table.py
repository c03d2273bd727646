"""All routes of the control plane; the module is loaded for the first request to one of them, or for their description.

A new noun is a module beside this one, and a line here.
"""

from collections.abc import Sequence

from civitai_mock.api.mock import (
    blobs,
    client_errors,
    clock,
    events,
    faults,
    fleet,
    graphs,
    har,
    images,
    jobs,
    journal,
    namespaces,
    orders,
    overview,
    presets,
    progress,
    queue,
    resources,
    scenarios,
    settings,
    snapshots,
    state,
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
    *state.ROUTES,
    *images.ROUTES,
    *queue.ROUTES,
    *overview.ROUTES,
    *blobs.ROUTES,
    *workers.ROUTES,
    *resources.ROUTES,
    *settings.ROUTES,
    *journal.ROUTES,
    *har.ROUTES,
    *presets.ROUTES,
    *faults.ROUTES,
    *scenarios.ROUTES,
    *events.ROUTES,
    *styles.ROUTES,
    *client_errors.ROUTES,
    *fleet.ROUTES,
]
