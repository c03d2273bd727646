"""Read metrics as Prometheus does."""

from collections.abc import Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families

from civitai_mock.domain.search import Backlog
from civitai_mock.ports import Metrics, WorkerReport
from civitai_mock.telemetry.metrics import expose
from civitai_mock.telemetry.readings import Readings
from tests.support.dates import START


class Scrape:
    """What `/metrics` says at one time; names are without the prefix of ours."""

    def __init__(self, text: str) -> None:
        families = list(text_string_to_metric_families(text))
        self.types = {family.name.removeprefix("civitai_mock_"): family.type for family in families}
        self.about = {family.name: family.documentation for family in families}
        self.samples = [sample for family in families for sample in family.samples]

    def by_labels(self, name: str) -> Mapping[tuple[str, ...], float]:
        """The values of one metric by those of its labels, which stand in the order of their names."""
        return {
            tuple(value for _, value in sorted(sample.labels.items())): sample.value
            for sample in self.samples
            if sample.name.removeprefix("civitai_mock_") == name
        }

    def value(self, name: str) -> float:
        """The value of a metric without labels."""
        return self.by_labels(name)[()]


async def scrape(client: httpx.AsyncClient) -> Scrape:
    answer = await client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return Scrape(answer.text)


def example() -> Scrape:
    """A scrape that has at least one sample of each metric."""
    metrics = Metrics()
    metrics.requests.observe(("/health", "GET", 200), 0.001)
    metrics.store_operations.observe(("read",), 0.001)
    metrics.stages.observe(("CLAIMED",), 0.1)
    metrics.drawings.observe((), 0.01)
    metrics.claims.observe((), 0.1)
    metrics.loop_lags.observe((), 0.001)
    metrics.jobs_ended["SUCCEEDED", "COMFY_RESULT"] = 1
    metrics.workflows_ended["succeeded"] = 1
    metrics.webhook_attempts["delivered"] = 1
    metrics.faults_fired["html-error"] = 1
    readings = Readings(
        version="1",
        now=START,
        jobs_in_flight={"CLAIMED": 1},
        backlog=Backlog(jobs=1, oldest=START),
        workers=[WorkerReport(id="local", ready=True)],
        counts_prompts=True,
        namespaces=1,
    )
    return Scrape(expose(metrics, readings).decode())
