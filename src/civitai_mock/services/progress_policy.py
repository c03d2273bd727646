"""The progress policy of a namespace: in which mode each of its jobs is, and how long its stages last."""

from typing import TYPE_CHECKING

from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.domain.stages import MovedBy
from civitai_mock.services.controls import Controls

if TYPE_CHECKING:  # what only those need who set a mode is not loaded at the start
    from civitai_mock.domain.progress_modes import ProgressMode, StagePlan

PROGRESS = "progress"  # the member of the documents of namespaces and server
PAUSED = "paused"  # another one: whether schedulers claim nothing


class ProgressPolicy:
    """Gives a job the mode that its request named, or else the namespace's, or else the server's.

    Without any of them (None) the simulation has its own way. What a request named is kept with the job; what namespace
    and server say holds for all other jobs from the moment at which it is set. Where jobs are not simulated, nothing of
    it holds.
    """

    def __init__(self, controls: Controls, *, is_simulated: bool = True) -> None:
        self._controls = controls
        self._is_simulated = is_simulated
        self.mode: ProgressMode | None = None  # of jobs whose requests named none
        self._update()
        controls.subscribe(self._update)

    def _update(self) -> None:
        document = self._controls.get(PROGRESS)
        self.mode = self._stored(document) if isinstance(document, dict) else None

    @property
    def is_paused(self) -> bool:
        """Return whether schedulers may take no jobs; those that they have go on."""
        return self._controls.is_any_set and self._controls.get(PAUSED) is True

    @property
    def only_timed(self) -> bool:
        """Return whether schedulers may take no other jobs than those whose requests say so."""
        return self.mode is not None and self.mode.moved_by is MovedBy.REQUESTS

    def plan_of(self, job: Job) -> "StagePlan | None":
        """Return how long a job stays in its stages where a scheduler runs it; None leaves that to the simulation."""
        mode = self.mode if job.progress is None else self._stored(job.progress)
        return None if mode is None else mode.plan(job.id)

    def gets_per_stage(self, job: Job) -> int | None:
        """Return by how many GETs a job is shown in each stage; None if it is moved by something else.

        One that a scheduler has begun with goes on as it began.
        """
        if job.outcome is not None or job.claim is not None:
            return None
        return self.gets_per_stage_in(job.progress)

    def gets_per_stage_in(self, progress: ReadOnlyJson | None) -> int | None:
        """Return by how many GETs a stage is shown where a request named this mode, or none."""
        mode = self.mode if progress is None else self._stored(progress)
        return None if mode is None else mode.gets_per_stage

    def _stored(self, document: ReadOnlyJson) -> "ProgressMode | None":
        from civitai_mock.domain.progress_modes import stored_progress_mode  # noqa: PLC0415 - see above

        return stored_progress_mode(document) if self._is_simulated else None
