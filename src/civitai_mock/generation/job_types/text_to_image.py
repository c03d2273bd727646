"""`TextToImageV2` makes images from a prompt text."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, cast

from civitai_mock.domain.blob import BlobFacts
from civitai_mock.domain.changed import changed
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import FieldError
from civitai_mock.domain.job import Job, JobResource
from civitai_mock.domain.resource import Resource
from civitai_mock.domain.sampling import Sampling
from civitai_mock.generation.comfyui_facts import MOST_CLIP_SKIP
from civitai_mock.generation.control_nets.resources import (
    choose_control_nets,
    control_net_references,
    control_net_urls,
)
from civitai_mock.generation.control_nets.spec import ControlNetDraft
from civitai_mock.generation.ecosystems.ecosystem import Defaults
from civitai_mock.generation.graph import Skeleton
from civitai_mock.generation.job_types.draft import JobDraft, JobSpec, Plan, PlannedFile
from civitai_mock.generation.media import ImageFile
from civitai_mock.generation.networks.resources import MAX_NETWORKS, NetworkDraft, choose_networks
from civitai_mock.generation.text_to_image.builder import text_to_image_job
from civitai_mock.generation.text_to_image.draft import (
    DEFAULT_DENOISE,
    LEAST_DENOISE,
    HiresDraft,
    RefinerDraft,
    UpscaleDraft,
)
from civitai_mock.generation.text_to_image.resources import (
    check_extras,
    choose_extras,
    choose_model,
    extra_references,
    final_size,
)
from civitai_mock.generation.text_to_image.spec import ImageParams, ImagesSpec, PromptFrame
from civitai_mock.generation.work import GraphWork, is_url


@dataclass(frozen=True, slots=True, kw_only=True)
class TextToImageSpec(ImagesSpec, JobSpec):
    """Makes images; all of them are one batch, drawn from one seed."""

    job_type: ClassVar[str] = "TextToImageV2"
    runs_graphs: ClassVar[bool] = True

    def airs(self) -> frozenset[str]:
        hires, upscale, refiner = self.params.hires, self.params.upscale, self.params.refiner
        named = [self.model, *self.networks, *(net.model for net in self.control_nets)]
        named.append(None if hires is None else hires.upscaler)
        named.append(None if upscale is None else upscale.model)
        named.append(None if refiner is None else refiner.model)
        return frozenset(air for air in named if air is not None)

    def work(self, job: Job, skeletons: Mapping[str, Skeleton]) -> GraphWork:
        return text_to_image_job(job, self).work(skeletons)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextToImageDraft(JobDraft):
    """Asks for images from a prompt text; AIRs are in either form.

    What is left out gets the default of the model's ecosystem, which also completes a `sampling` that is left open.
    `source_image`, a URL or the key of a blob, is where to start from, and `denoise_strength` how much of it is drawn
    anew. Networks are applied in the order of their AIRs. One that was made for another ecosystem than the model's is
    accepted: ComfyUI leaves out what does not fit. The model is used as one of the `ecosystem`, whatever its AIR says;
    its `text_encoders`, AIRs by names, have to be there, but a server takes its own. What a `frame` has is drawn around
    the prompt text. With a `file` the images are given out as it says, as blobs of v2, whose ids are those of
    `PlannedFile`.
    """

    model: str
    ecosystem: str | None = None
    text_encoders: Mapping[str, str] | None = None
    base_model: str | None = None
    prompt: str | None = None
    negative_prompt: str | None = None
    sampling: Sampling | None = None
    steps: int | None = None
    cfg_scale: float | None = None
    width: int | None = None
    height: int | None = None
    seed: int | None = None
    clip_skip: int | None = None
    source_image: str | None = None
    denoise_strength: float | None = None
    hires: HiresDraft | None = None
    upscale: UpscaleDraft | None = None
    refiner: RefinerDraft | None = None
    networks: tuple[NetworkDraft, ...] = ()
    control_nets: tuple[ControlNetDraft, ...] = ()
    quantity: int | None = None
    frame: PromptFrame | None = None
    file: ImageFile | None = None
    extension: str | None = None

    def references(self) -> Mapping[str, str]:
        found = {"model": self.model}
        if self.networks:
            found |= {network.field: network.air for network in self.networks}
        if self.text_encoders:
            found |= {f"text_encoders.{name}": air for name, air in self.text_encoders.items()}
        if self.control_nets:
            found |= control_net_references(self.control_nets)
        return {**found, **self._extra_references()}

    def image_urls(self) -> Mapping[str, str]:
        source = self.source_image
        of_source = {"source_image": source} if source is not None and is_url(source) else {}
        return {**of_source, **control_net_urls(self.control_nets)}

    @property
    def draws_seed(self) -> bool:
        return self.seed is None

    def resolve(self, *, resources: Mapping[str, Resource], seed: int) -> Plan:
        if len(self.networks) > MAX_NETWORKS:
            raise FieldError("networks", f"Expected at most {MAX_NETWORKS} networks; found {len(self.networks)}.")
        if self.clip_skip is not None and not 0 <= self.clip_skip <= MOST_CLIP_SKIP:
            raise FieldError("clip_skip", f"expected a number from 0 to {MOST_CLIP_SKIP}; found {self.clip_skip}")
        model = choose_model(resources[self.model], ecosystem=self.ecosystem)
        extras = choose_extras(self._extra_references(), resources, model.ecosystem)
        networks = choose_networks(self.networks, resources)
        control_nets = choose_control_nets(self.control_nets, resources, model.ecosystem)
        spec = TextToImageSpec(
            base_model=self.base_model,
            model=str(model.resource.air),
            ecosystem=model.ecosystem_unlike_air,
            model_kind=model.kind.name,
            params=self._params(model.kind.defaults, seed=seed, airs=extras.airs),
            networks={str(network.resource.air): network.spec for network in networks},
            control_nets=control_nets.complete,
            quantity=self.quantity or 1,
            file=self.file,
        )
        check_extras(spec.params, quantity=spec.quantity)
        named = [network.resource for network in networks]
        encoders = [resources[air].for_job for air in (self.text_encoders or {}).values()]
        return self._plan(spec, [model.resource, *named, *control_nets.resources, *extras.resources, *encoders])

    def _plan(self, spec: TextToImageSpec, resources: Iterable[JobResource]) -> Plan:
        """Plan a complete draft, with each resource once: a refiner may be the model itself."""
        return Plan(
            spec=spec,
            resources=tuple({str(resource.air): resource for resource in resources}.values()),
            cost=spec.cost,
            images=spec.quantity,
            seed=spec.params.seed,
            files=_files(spec, self.extension),
        )

    def _extra_references(self) -> Mapping[str, str]:
        return extra_references(self.hires, self.upscale, self.refiner)

    def _params(self, defaults: Defaults, *, seed: int, airs: Mapping[str, str]) -> ImageParams:
        """Fill in defaults; `airs` are those of resources by what the draft calls them."""
        steps, hires = self.steps or defaults.steps, self.hires
        upscaler = airs[hires.upscaler] if hires is not None and hires.upscaler is not None else None
        return ImageParams(
            prompt=self.prompt,
            negative_prompt=self.negative_prompt,
            sampling=self.sampling or defaults.sampling,
            steps=steps,
            cfg_scale=defaults.cfg_scale if self.cfg_scale is None else self.cfg_scale,
            width=self.width or defaults.width,
            height=self.height or defaults.height,
            seed=seed if self.seed is None else self.seed,
            clip_skip=self.clip_skip or defaults.clip_skip,
            source_image=self.source_image,
            denoise_strength=self._denoise(),
            hires=None if hires is None else hires.complete(upscaler, steps=steps),
            upscale=None if self.upscale is None else self.upscale.complete(airs[self.upscale.model]),
            refiner=None if self.refiner is None else self.refiner.complete(airs[self.refiner.model]),
            frame=self.frame,
        )

    def _denoise(self) -> float | None:
        """Return how much of the source image is drawn anew, as much as ComfyUI can do."""
        if self.source_image is None:
            return None
        given = DEFAULT_DENOISE if self.denoise_strength is None else self.denoise_strength
        return min(max(given, LEAST_DENOISE), 1)


def _files(spec: TextToImageSpec, extension: str | None) -> tuple[PlannedFile, ...]:
    """Return the images as files of v2, whose size is that after all passes."""
    if spec.file is None:
        return ()
    width, height = final_size(spec.params)
    image = PlannedFile(
        content_type=spec.file.content_type,
        facts=BlobFacts(width=width, height=height),
        seed=spec.params.seed,
        extension=extension,
    )
    return (image,) * spec.quantity


class SeededDrafts:
    """Makes drafts that differ by their seed alone, as those of the jobs of one step do, and resolves one of them.

    So do those of a request that is sent again. The others get its plan with their seed, as long as nobody changes the
    resources that it names. That takes a third of the time: 3 % of a workflow that is sent again.
    """

    def __init__(self, draft: TextToImageDraft) -> None:
        self.draft = draft
        self.references = draft.references()
        self.image_urls = draft.image_urls()
        self._known: tuple[list[Resource], Plan] | None = None

    def __call__(self, seed: int | None) -> JobDraft:
        """Return a draft with this seed, or one that leaves it open."""
        return _SeededDraft(self, seed)

    def plan(self, resources: Mapping[str, Resource], *, seed: int) -> Plan:
        """Return what the draft comes to with this seed; raise what its `resolve` does."""
        named, known = [resources[text] for text in self.references.values()], self._known
        if known is not None and known[0] == named:  # mostly the same objects, whose members are not compared
            return _with_seed(known[1], seed)
        plan = changed(self.draft, seed=seed).resolve(resources=resources, seed=seed)
        self._known = (named, plan)
        return plan


@dataclass(frozen=True, slots=True)
class _SeededDraft(JobDraft):
    """Is one of those drafts."""

    drafts: SeededDrafts
    seed: int | None

    @property
    def draws_seed(self) -> bool:
        return self.seed is None

    @property
    def as_sent(self) -> JobDraft:
        return changed(self.drafts.draft, seed=self.seed)

    def references(self) -> Mapping[str, str]:
        return self.drafts.references

    def image_urls(self) -> Mapping[str, str]:
        return self.drafts.image_urls

    def resolve(self, *, resources: Mapping[str, Resource], seed: int) -> Plan:
        return self.drafts.plan(resources, seed=seed if self.seed is None else self.seed)


def _with_seed(plan: Plan, seed: int) -> Plan:
    """Return a plan of images with another seed, on which neither their price nor their size depends."""
    if seed == plan.seed:
        return plan
    spec = cast("TextToImageSpec", plan.spec)
    return changed(
        plan,
        spec=changed(spec, params=changed(spec.params, seed=seed)),
        seed=seed,
        files=tuple([changed(file, seed=seed) for file in plan.files]),
    )
