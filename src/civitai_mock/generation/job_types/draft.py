"""What every kind of job has: a draft, as requests of any API ask for it, and a spec, which is complete and stored."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Self

from civitai_mock.domain.blob import BlobFacts, Slot, blob_id_of, blob_key
from civitai_mock.domain.changed import changed
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import Job, JobResource
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson
from civitai_mock.domain.maturity import NsfwLevel
from civitai_mock.domain.media import extension_of
from civitai_mock.domain.resource import Resource
from civitai_mock.generation import spec_json
from civitai_mock.generation.graph import Skeleton
from civitai_mock.generation.work import JobWork

NO_FACTS = BlobFacts()


class JobSpec(ABC):
    """Is a job as it is stored, complete: a dataclass for each type of job, which the registry has.

    `job_type` is the name of the type in the store and in events. A type that `runs_graphs` needs a provider's worker.
    """

    __slots__ = ()

    job_type: ClassVar[str]
    runs_graphs: ClassVar[bool] = False

    @abstractmethod
    def work(self, job: Job, skeletons: Mapping[str, Skeleton]) -> JobWork:
        """Return what has to be done; raise `JobError` if nothing can be. `skeletons` are by name."""

    def airs(self) -> frozenset[str]:
        """Return the AIRs in it, which are those of resources of its job."""
        return frozenset()

    def to_json(self) -> JsonObject:
        return spec_json.to_json(self)

    @classmethod
    def from_json(cls, stored: ReadOnlyJson) -> Self:
        """Read a spec that this or an earlier version of the program has stored."""
        return spec_json.from_json(cls, stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """Is a file that a job of v2 makes, as far as it is known before the work begins.

    The id of its blob has 26 digits and the usual extension of its type or, if there is an `extension`, the job and the
    place of the file in it (captures: imageGen has such ids). One with a `name` is an asset.
    """

    content_type: str
    facts: BlobFacts = NO_FACTS
    seed: int | None = None
    extension: str | None = None
    name: str | None = None

    def slot(self, job_id: str, place: int, *, workflow_id: str | None = None, level: NsfwLevel | None = None) -> Slot:
        """Return the place for it, under the id that the file has as a blob of v2; what its facts say comes first."""
        name, known = f"{job_id}-{place}", self.facts
        key = name + self.extension if self.extension else blob_id_of(name, extension_of(self.content_type))
        facts = changed(
            known,
            job_id=job_id,
            workflow_id=workflow_id or known.workflow_id,
            nsfw_level=known.nsfw_level or level,
        )
        return Slot(blob_key=key, seed=self.seed, name=self.name, facts=facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Is what a draft comes to.

    `cost` is in Buzz; `images` is the number of images that are its results, all made from `seed`; `assets` are the
    names of other files that it makes. Jobs of v2 have `files` in the place of both.
    """

    spec: JobSpec
    resources: tuple[JobResource, ...]
    cost: float
    images: int = 0
    seed: int | None = None
    assets: tuple[str, ...] = ()
    files: tuple[PlannedFile, ...] = ()

    def slots(self, job_id: str, *, workflow_id: str | None = None, level: NsfwLevel | None = None) -> tuple[Slot, ...]:
        """Return a slot for each file that is known of before the work begins.

        Those of a job of a workflow have facts: its id, and how mature they are if nobody knows better.
        """
        if self.files:
            slots = [file.slot(job_id, at, workflow_id=workflow_id, level=level) for at, file in enumerate(self.files)]
            return tuple(slots)
        facts = None if workflow_id is None else BlobFacts(nsfw_level=level, workflow_id=workflow_id)
        images = [Slot(blob_key=blob_key(job_id, at), seed=self.seed, facts=facts) for at in range(self.images)]
        assets = [
            Slot(blob_key=blob_key(job_id, at), name=name, facts=facts)
            for at, name in enumerate(self.assets, self.images)
        ]
        return (*images, *assets)


class JobDraft(ABC):
    """Is what a request says of a job, in names that no API has: what is left out is None.

    Fields are named by their way from the draft: `refiner.model`, `control_nets[0].model`, `networks.<name>`. Each API
    knows where in its requests they are.
    """

    __slots__ = ()

    @property
    def draws_seed(self) -> bool:
        """Return whether the seed is left open."""
        return False

    @property
    def as_sent(self) -> "JobDraft":
        """Return what the request says, without what is remembered of an earlier one."""
        return self

    @abstractmethod
    def references(self) -> Mapping[str, str]:
        """Return each AIR that must be in the resources, in either form, by its field."""

    def image_urls(self) -> Mapping[str, str]:
        """Return each URL from which an image has to be fetched, by its field."""
        return {}

    @abstractmethod
    def resolve(self, *, resources: Mapping[str, Resource], seed: int) -> Plan:
        """Fill in what is left out.

        `resources` has every reference by its text; `seed` is used where the draft has none. Raise `FieldError` for
        what only shows with the resources at hand (an unknown ecosystem).
        """


class CompleteSpec(JobSpec, JobDraft):
    """Is a spec that leaves nothing open, so that it is its own draft.

    `cost` is in Buzz; `images` is the number of images that come of it.
    """

    __slots__ = ()

    cost: ClassVar[float]
    images: ClassVar[int] = 0

    def references(self) -> Mapping[str, str]:
        return {}

    def files(self) -> tuple[PlannedFile, ...]:
        """Return the files that come of a job of v2; one without any has its answer in a result, or no slots yet."""
        return ()

    def resolve(self, *, resources: Mapping[str, Resource], seed: int) -> Plan:  # noqa: ARG002 - nothing is left open
        named = tuple(resources[text].for_job for text in dict.fromkeys(self.references().values()))
        return Plan(spec=self, resources=named, cost=self.cost, images=self.images, files=self.files())

    def work(self, job: Job, skeletons: Mapping[str, Skeleton]) -> JobWork:  # noqa: ARG002 - the spec says all
        return self.own_work()

    @abstractmethod
    def own_work(self) -> JobWork:
        """Return the work that the spec asks for."""
