"""Step types that make images."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from civitai_mock.api.v2.steps.prices import image_price
from civitai_mock.api.v2.steps.step_type import Blobs, StepInput, StepType
from civitai_mock.domain.cost import StepCost
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.sampling import SAMPLINGS, UNDEFINED, scheduler_name
from civitai_mock.generation.job_types.text_to_image import TextToImageDraft
from civitai_mock.generation.media import ImageFile, ImageFormat
from civitai_mock.generation.networks.resources import NetworkDraft
from civitai_mock.ports.steps import StepJobs

MAX_SEED = 2**32


class TextToImage(StepType):
    """Makes `quantity` jobs of `batchSize` images each."""

    name: ClassVar[str] = "textToImage"
    PATHS: ClassVar[Mapping[str, str]] = {"source_image": "sourceImage", "networks.": "additionalNetworks."}

    def cost(self, step_input: StepInput) -> StepCost:
        return image_price(step_input)

    def jobs(self, step_input: StepInput, *, seed: int) -> StepJobs:
        first, size = step_input.get("seed", seed), step_input["batchSize"]
        drafts = [
            self._draft(step_input, seed=(first + place * size) % MAX_SEED, size=size)
            for place in range(step_input["quantity"])
        ]
        return StepJobs(drafts=drafts, paths=self.PATHS)

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        return {"images": blobs.render_all(jobs)}

    def _draft(self, step_input: StepInput, *, seed: int, size: int) -> TextToImageDraft:
        networks = step_input.get("additionalNetworks", {})
        return TextToImageDraft(
            model=step_input["model"],
            prompt=step_input["prompt"],
            negative_prompt=step_input.get("negativePrompt"),
            sampling=SAMPLINGS[scheduler_name(step_input.get("scheduler", "")) or UNDEFINED],
            steps=step_input["steps"],
            cfg_scale=step_input["cfgScale"],
            width=step_input["width"],
            height=step_input["height"],
            seed=seed,
            clip_skip=step_input["clipSkip"],
            source_image=step_input.get("sourceImage"),
            denoise_strength=step_input.get("sourceImageDenoiseStrenght"),
            networks=tuple(
                NetworkDraft(
                    air=air,
                    type=network.get("type"),
                    strength=network.get("strength"),
                    trigger_word=network.get("triggerWord"),
                )
                for air, network in networks.items()
            ),
            quantity=size,
            file=ImageFile(format=ImageFormat(step_input.get("outputFormat", ImageFormat.JPEG).lower())),
        )
