"""Build the graph of a textToImage job."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.dotnet import plain_number
from civitai_mock.domain.errors import JobError
from civitai_mock.domain.job import Job, JobResource
from civitai_mock.domain.json_types import Json
from civitai_mock.generation.control_nets.nodes import JobControlNets
from civitai_mock.generation.ecosystems import ECOSYSTEMS, find_ecosystem
from civitai_mock.generation.ecosystems.ecosystem import Ecosystem
from civitai_mock.generation.graph import Graph, Skeleton
from civitai_mock.generation.graph_builder import GraphBuilder
from civitai_mock.generation.networks.kinds import KINDS, AppliedTag, Network, NetworkKind, Tags, read_tags
from civitai_mock.generation.networks.resources import NetworkSpec
from civitai_mock.generation.prompts.a1111 import comfyui_text, shallow
from civitai_mock.generation.prompts.texts import PromptTexts
from civitai_mock.generation.text_to_image.passes import Hires, Refiner, SourceImage, Upscale, Upscaler
from civitai_mock.generation.text_to_image.spec import HiresSpec, ImageParams, ImagesSpec, RefinerSpec, UpscaleSpec
from civitai_mock.generation.work import GraphWork, InputImage


class Feature(Protocol):
    """Is something that an image has beyond a prompt text and networks."""

    def apply(self, builder: GraphBuilder) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSpec:
    """Describes an image, complete: `networks`, those of the `tags`, and features are applied in their order.

    Servers differ in what they can do: each of the `variants`, the best first, has features of its own that come before
    the others; there is one without any where nothing differs. `file_prefix` keeps ComfyUI from answering with another
    job's file.
    """

    ecosystem: Ecosystem
    model_file: str
    params: ImageParams
    networks: Sequence[tuple[NetworkKind, Network]]
    quantity: int
    file_prefix: str
    tags: Sequence[AppliedTag] = ()
    features: Sequence[Feature] = ()
    variants: Sequence[Sequence[Feature]] = ((),)

    def graphs(self, skeletons: Sequence[Skeleton]) -> tuple[Graph, ...]:
        """Return graphs for the same image, the best first: each variant on each of the skeletons."""
        return tuple(self._graph(skeleton, variant) for skeleton in skeletons for variant in self.variants)

    def _graph(self, skeleton: Skeleton, variant: Sequence[Feature]) -> Graph:
        """Build one graph; the ecosystem has no use for a value that the skeleton has no slot for."""
        builder = GraphBuilder(skeleton)
        builder.fill_all(self._values())
        self._load_networks(builder)
        self._skip_clip_layers(builder)
        for feature in (*variant, *self.features):
            feature.apply(builder)
        return builder.build()

    def tags_by_node(self, skeleton: Skeleton) -> Mapping[str, str]:
        """Return each tag by the node that loads its network, which is the same in all graphs: networks come first."""
        return self._load_networks(GraphBuilder(skeleton))

    def _load_networks(self, builder: GraphBuilder) -> Mapping[str, str]:
        """Return each tag by its node."""
        for kind, network in self.networks:
            if kind.load is not None:
                kind.load(builder, network)
        loaded = {found.kind.load(builder, found.network): found.tag for found in self.tags if found.kind.load}
        return {node_id: tag for node_id, tag in loaded.items() if node_id is not None}

    def _values(self) -> Mapping[str, Json]:
        """Return the values of slots; sides that are not multiples of 8 stay so, as ComfyUI rounds them down itself."""
        params, texts = self.params, self._texts()
        sampling = params.sampling.completed_by(self.ecosystem.undefined)
        return {
            "model": self.model_file,
            "prompt": texts.positive,
            "negative_prompt": texts.negative,
            "sampler": sampling.sampler,
            "noise_schedule": sampling.noise_schedule,
            "seed": params.seed,
            "steps": params.steps,
            "cfg_scale": plain_number(params.cfg_scale),
            "width": params.width,
            "height": params.height,
            "quantity": self.quantity,
            "file_prefix": self.file_prefix,
        }

    def _texts(self) -> PromptTexts:
        positive, negative = self.params.drawn_prompt, self.params.negative_prompt or ""
        texts = PromptTexts(positive=comfyui_text(positive), negative=comfyui_text(negative))
        for kind, network in self.networks:
            texts = kind.write(texts, network)
        return PromptTexts(positive=shallow(texts.positive), negative=shallow(texts.negative))

    def _skip_clip_layers(self, builder: GraphBuilder) -> None:
        """Skip layers behind the networks, which have to see the whole text encoder."""
        skip = self.params.clip_skip or 1
        if skip > 1 and self.ecosystem.has_clip_skip:
            builder.insert("CLIPSetLastLayer", {"stop_at_clip_layer": -skip}, behind={"clip": "clip"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobExtras:
    """Turns source image, hires pass, refiner and upscale of a job into features.

    `files` has the names of the job's resources by AIR.
    """

    params: ImageParams
    job_id: str
    quantity: int
    files: Mapping[str, str]

    @property
    def images(self) -> tuple[InputImage, ...]:
        source = self.params.source_image
        return () if source is None else (InputImage.of(source, name=self._source_name),)

    @property
    def features(self) -> list[Feature]:
        """Return them in the order in which to apply them: a hires pass repeats the first one without its refiner."""
        params = self.params
        features: list[Feature | None] = [
            None if params.source_image is None else self._source_image(),
            None if params.hires is None else self._hires(params.hires),
            None if params.refiner is None else self._refiner(params.refiner),
            None if params.upscale is None else self._upscale(params.upscale),
        ]
        return [feature for feature in features if feature is not None]

    @property
    def _source_name(self) -> str:
        return f"{self.job_id}_source"

    @property
    def _denoise(self) -> float:
        """Return the denoise of the first pass."""
        return self.params.denoise_strength or 1

    def _source_image(self) -> SourceImage:
        return SourceImage(
            image=self._source_name, size=self.params.size.sampled, quantity=self.quantity, denoise=self._denoise
        )

    def _hires(self, hires: HiresSpec) -> Hires:
        size = self.params.sampled_size
        upscaler = None if hires.upscaler is None else Upscaler(file_name=self.files[hires.upscaler], size=size)
        return Hires(size=size, steps=hires.steps, denoise=hires.denoise_strength, upscaler=upscaler)

    def _refiner(self, refiner: RefinerSpec) -> Refiner:
        return Refiner(
            file_name=self.files[refiner.model],
            size=self.params.size.sampled,
            steps=self.params.steps,
            denoise=self._denoise,
            switch_at=refiner.switch_at,
        )

    def _upscale(self, upscale: UpscaleSpec) -> Upscale:
        size = None if upscale.scale is None else self.params.sampled_size.scaled(upscale.scale)
        return Upscale(upscaler=Upscaler(file_name=self.files[upscale.model], size=size))


@dataclass(frozen=True, slots=True, kw_only=True)
class TextToImageJob:
    """Turns a stored job into work; `resources` are those of the job by their AIRs."""

    job_id: str
    spec: ImagesSpec
    ecosystem: Ecosystem
    resources: Mapping[str, JobResource]

    def work(self, skeletons: Mapping[str, Skeleton]) -> GraphWork:
        extras, control_nets = self._extras(), self._control_nets()
        kind = self.ecosystem.kind(self.spec.model_kind)
        tags = read_tags(self.spec.params.drawn_prompt)
        image = self._image(extras, control_nets, tags)
        shapes = [skeletons[name] for name in kind.skeletons]
        graph, *alternatives = image.graphs(shapes)
        images = (*extras.images, *control_nets.images)
        return GraphWork(
            graph=graph,
            alternatives=tuple(alternatives),
            images=images,
            roles=(*self.ecosystem.roles, *control_nets.roles),
            words_name_embeddings=True,
            tags=image.tags_by_node(shapes[0]),
            ignored_tags=tuple(tags.ignored),
            has_common_shape=not images,
            image_file=self.spec.file,
        )

    def _image(self, extras: JobExtras, control_nets: JobControlNets, tags: Tags) -> ImageSpec:
        return ImageSpec(
            ecosystem=self.ecosystem,
            model_file=self.resources[self.spec.model].file_name,
            params=self.spec.params,
            networks=self._networks(),
            tags=tags.applied,
            quantity=self.spec.quantity,
            file_prefix=self.job_id,
            features=extras.features,
            variants=control_nets.variants,
        )

    def _networks(self) -> Sequence[tuple[NetworkKind, Network]]:
        named = self.spec.networks.items()
        return [_network(self.resources[air], network) for air, network in named]

    def _extras(self) -> JobExtras:
        spec = self.spec
        return JobExtras(params=spec.params, job_id=self.job_id, quantity=spec.quantity, files=self._files)

    def _control_nets(self) -> JobControlNets:
        return JobControlNets(
            control_nets=self.spec.control_nets,
            job_id=self.job_id,
            ecosystem=self.ecosystem.name,
            files=self._files,
            shorter_side=min(self.spec.params.size),
        )

    @property
    def _files(self) -> Mapping[str, str]:
        return {air: resource.file_name for air, resource in self.resources.items()}


def text_to_image_job(job: Job, spec: ImagesSpec) -> TextToImageJob:
    """Prepare a stored job; raise `JobError` for one whose ecosystem is gone since it was stored."""
    resources = {str(resource.air): resource for resource in job.resources}
    ecosystem = ECOSYSTEMS.get(spec.ecosystem) if spec.ecosystem else find_ecosystem(resources[spec.model].air)
    if ecosystem is None:
        raise JobError(f"The ecosystem of '{spec.model}' is no longer known; use another model.")
    return TextToImageJob(job_id=job.id, spec=spec, ecosystem=ecosystem, resources=resources)


def _network(resource: JobResource, spec: NetworkSpec) -> tuple[NetworkKind, Network]:
    network = Network(
        file_name=resource.file_name,
        strength=spec.strength,
        trigger_word=spec.trigger_word,
        trained_words=resource.trained_words,
    )
    return KINDS[spec.type.lower()], network
