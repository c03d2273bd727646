"""Job types that judge texts, and files of models: nothing is triggered, and every file is clean."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from civitai_mock.domain.air import Air
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson, as_object
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.job_types.draft import CompleteSpec, JobDraft, Plan
from civitai_mock.generation.words import moderation
from civitai_mock.generation.words.moderation import Label
from civitai_mock.generation.work import ResultWork


@dataclass(frozen=True, slots=True, kw_only=True)
class TextGuardSpec(CompleteSpec):
    """Searches a text, which was sent in a `field`, for some labels."""

    job_type: ClassVar[str] = "TextGuard"
    cost: ClassVar[float] = 1

    text: str
    field: str
    labels: tuple[Label, ...] = ()

    def own_work(self) -> ResultWork:
        return ResultWork(result=moderation.guard_verdict(self.text, field=self.field, labels=self.labels), seconds=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPolicySpec(CompleteSpec):
    """Compares a text with some policies."""

    job_type: ClassVar[str] = "TextPolicy"
    cost: ClassVar[float] = 1

    text: str
    policies: tuple[Label, ...] = ()

    def own_work(self) -> ResultWork:
        return ResultWork(result=moderation.policy_verdict(self.text, policies=self.policies), seconds=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextsInImagesSpec(CompleteSpec):
    """Finds no text in images, which are not fetched."""

    job_type: ClassVar[str] = "TextsInImages"
    cost: ClassVar[float] = 1

    media_urls: tuple[str, ...]

    def own_work(self) -> ResultWork:
        return ResultWork(result=moderation.safe_texts(self.media_urls), seconds=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelScanSpec(CompleteSpec):
    """Looks into the file of a `model`, an AIR, without fetching it."""

    cost: ClassVar[float] = 0

    model: str

    def references(self) -> Mapping[str, str]:
        return {"model": self.model}

    @abstractmethod
    def verdict(self, air: Air) -> JsonObject:
        """Return what is found in a model."""

    def own_work(self) -> ResultWork:
        return ResultWork(result=self.verdict(Air.parse(self.model)), seconds=2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelClamScanSpec(ModelScanSpec):
    """Finds no virus."""

    job_type: ClassVar[str] = "ModelClamScan"

    def verdict(self, air: Air) -> JsonObject:
        del air
        return moderation.clam_verdict()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPickleScanSpec(ModelScanSpec):
    """Finds no dangerous import."""

    job_type: ClassVar[str] = "ModelPickleScan"

    def verdict(self, air: Air) -> JsonObject:
        return moderation.pickle_verdict(air)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMetadataSpec(ModelScanSpec):
    """Finds a header as models of its ecosystem have it."""

    job_type: ClassVar[str] = "ModelMetadata"

    def verdict(self, air: Air) -> JsonObject:
        return moderation.model_metadata(air)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelHashSpec(ModelScanSpec):
    """Answers hashes, those of the resource where they are known: `known` has them by their kinds."""

    job_type: ClassVar[str] = "ModelHash"

    known: ReadOnlyJson

    def verdict(self, air: Air) -> JsonObject:
        return moderation.model_hashes(air, self.known)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelHashDraft(JobDraft):
    """Asks for the hashes of a `model`, an AIR in either form."""

    model: str

    def references(self) -> Mapping[str, str]:
        return {"model": self.model}

    def resolve(self, *, resources: Mapping[str, Resource], seed: int) -> Plan:  # noqa: ARG002 - nothing is drawn
        resource = resources[self.model]
        spec = ModelHashSpec(model=str(resource.air), known=as_object(resource.fields.get("hashes")))
        return Plan(spec=spec, resources=(resource.for_job,), cost=spec.cost)
