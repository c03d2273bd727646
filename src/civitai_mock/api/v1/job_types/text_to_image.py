"""`textToImage` makes images from a prompt text."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from civitai_mock.api.v1.job_types.control_nets import ControlNetList
from civitai_mock.api.v1.job_types.image_params import RANDOM_SEED, ImageJobParams
from civitai_mock.api.v1.job_types.networks import NetworkMap
from civitai_mock.api.v1.job_types.request import JobRequest
from civitai_mock.api.v1.wire import Reference, Text
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.sampling import SAMPLINGS
from civitai_mock.generation.job_types.text_to_image import TextToImageDraft, TextToImageSpec

MAX_IMAGES = 100
AIR_MEMBERS = {"hires": "upscaler", "upscale": "model", "refiner": "model"}
PARAMS, STYLE = "params", "style"
NOT_SHOWN = frozenset({"quantity", "modelKind", "ecosystem", "file"})
Count = Annotated[int, Field(strict=True, ge=1, le=MAX_IMAGES)]


class TextToImageJobRequest(JobRequest):
    """The job makes images from a prompt text.

    Networks are applied in the order of their AIRs. One that was made for another ecosystem than the model's is
    accepted: ComfyUI leaves out what does not fit. All images are one batch, drawn from one seed; `batchSize` is
    checked and otherwise ignored.
    """

    wire_name: ClassVar[str] = "textToImage"
    template_name: ClassVar[str] = "TextToImageJobTemplate"
    job_type: ClassVar[str] = TextToImageSpec.job_type
    FIELDS: ClassVar[Mapping[str, str]] = {
        "source_image": "params.sourceImage",
        "hires.scale": "params.hires.scale",
        "hires.upscaler": "params.hires.upscaler",
        "upscale": "params.upscale",
        "upscale.model": "params.upscale.model",
        "refiner": "params.refiner",
        "refiner.model": "params.refiner.model",
        "networks.": "additionalNetworks.",
        "control_nets[].model": "controlNets[].model",
        "control_nets[].image_url": "controlNets[].imageUrl",
    }

    model: Reference
    params: ImageJobParams
    base_model: Text | None = None
    additional_networks: NetworkMap | None = None
    control_nets: ControlNetList | None = None
    quantity: Count | None = None
    batch_size: Count | None = None

    def draft(self) -> TextToImageDraft:
        params, networks, control_nets = self.params, self.additional_networks, self.control_nets
        hires, upscale, refiner = params.hires, params.upscale, params.refiner
        return TextToImageDraft(
            model=self.model,
            base_model=self.base_model,
            prompt=params.prompt,
            negative_prompt=params.negative_prompt,
            sampling=None if params.scheduler is None else SAMPLINGS[params.scheduler],
            steps=params.steps,
            cfg_scale=params.cfg_scale,
            width=params.width,
            height=params.height,
            seed=None if params.seed == RANDOM_SEED else params.seed,
            clip_skip=params.clip_skip,
            source_image=params.source_image,
            denoise_strength=params.denoise_strength,
            hires=None if hires is None else hires.draft(),
            upscale=None if upscale is None else upscale.draft(),
            refiner=None if refiner is None else refiner.draft(),
            networks=tuple(network.draft(key) for key, network in networks.items()) if networks else (),
            control_nets=tuple(net.draft() for net in control_nets) if control_nets else (),
            quantity=self.quantity,
        )

    @classmethod
    def describe(cls, job: Job) -> JsonObject:
        """Return the request with the compressed AIRs of its resources; a sampler without a public name is left out."""
        names = {str(resource.air): resource.air.compressed for resource in job.resources}
        members: Any = TextToImageSpec.from_json(job.spec).to_json()
        params, control_nets = members["params"], members["controlNets"]
        params.pop("frame", None)
        if not isinstance(params["scheduler"], str):
            del params["scheduler"]
        shown = {name: value for name, value in members.items() if name not in NOT_SHOWN}
        return {
            **shown,
            "model": names[members["model"]],
            "params": {**params, **_named_extras(params, names)},
            "additionalNetworks": {names[air]: network for air, network in members["additionalNetworks"].items()},
            "controlNets": [{**net, "model": names[net["model"]]} if "model" in net else net for net in control_nets],
        }


def _named_extras(params: Mapping[str, Any], names: Mapping[str, str]) -> JsonObject:
    """Return the members of complete `params` that have an AIR, with its name in its place."""
    return {
        extra: {**params[extra], member: names[params[extra][member]]}
        for extra, member in AIR_MEMBERS.items()
        if member in params.get(extra, {})
    }
