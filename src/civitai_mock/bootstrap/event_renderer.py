"""Make what words the events of jobs, wherever they are sent: to callbacks, and to whoever listens to the stream."""

from collections.abc import Callable

import orjson

from civitai_mock.api.v1.render import render_event
from civitai_mock.api.vocabulary import ClientCompat, Vocabularies
from civitai_mock.domain.events import JobEvent
from civitai_mock.domain.job import Job
from civitai_mock.scheduler.webhooks import Render
from civitai_mock.services.fleet_policy import FleetPolicy


def make_event_renderer(
    vocabularies: Vocabularies, *, get_worker_id: Callable[[], str | None], fleet_policy: FleetPolicy
) -> Render:
    """Return what words events for the namespace whose workers `get_worker_id` calls by one name, or not."""

    def render(job: Job, event: JobEvent) -> bytes:
        """Word the event as the request of its job asked for, or else as CLIENT_COMPAT has it."""
        words = vocabularies.of(
            ClientCompat.stored(job.client_compat), worker_id=get_worker_id(), fleet=fleet_policy.document
        )
        return orjson.dumps(render_event(event, words))

    return render
