"""How far jobs are that run in this process by a plan, which no event tells."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import Job
from civitai_mock.domain.progress import SamplingProgress
from civitai_mock.domain.stages import Stage
from civitai_mock.ports import Progress


class KnowsProgress(Protocol):
    """Knows how far the prompts of this process are; see `Provider`."""

    def progress(self, prompt_id: str) -> Progress | None: ...

    def foreseen(self, prompt_id: str) -> Progress | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GetRunningProgress:
    """Finds out how far jobs are whose steps are foreseen, which costs nothing until somebody asks."""

    provider: KnowsProgress

    def __call__(self, jobs: Sequence[Job]) -> Mapping[str, SamplingProgress]:
        """Return that of each job that has done a step, by its id."""
        found = {
            job.id: self.provider.foreseen(job.prompt_id or "") for job in jobs if job.stage is Stage.SENT_TO_COMFY
        }
        return {
            job_id: SamplingProgress(
                step=progress.step,
                steps=progress.steps,
                fraction=round(progress.step / progress.steps, 4),
                node_id=progress.node_id,
            )
            for job_id, progress in found.items()
            if progress is not None and progress.step > 0
        }
