"""What happens to workflows in this process, for those who follow them: the jobs of each, and changes beside them."""

from collections.abc import Callable, Sequence

from civitai_mock.domain.job import Job
from civitai_mock.domain.workflow import Workflow
from civitai_mock.services.event_bus import EventBus

Listener = Callable[[Sequence[str]], None]


class WorkflowEvents:
    """Publishes new jobs of workflows on the event bus, and tells its own listeners which workflows have changed.

    A workflow may change without one of its jobs: a step can fail before it has any.
    """

    def __init__(self, event_bus: EventBus) -> None:
        self._event_bus = event_bus
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        """Have a listener called with the ids of workflows that have changed; it must not block."""
        self._listeners.append(listener)

    def publish_jobs(self, jobs: Sequence[Job]) -> None:
        """Publish new jobs, which can be claimed."""
        if jobs:
            self._event_bus.publish_changes(jobs)
            self._event_bus.publish_work()

    def publish_change(self, workflow: Workflow) -> None:
        for listener in self._listeners:
            listener([workflow.id])
