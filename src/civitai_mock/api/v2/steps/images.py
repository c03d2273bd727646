"""Step types that make images of prompt texts."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from civitai_mock.api.v2.steps.image_drafts import drawing_draft, graph_paths, has_graph, image_gen_draft
from civitai_mock.api.v2.steps.image_members import (
    control_net_drafts,
    control_net_paths,
    image_count,
    image_file,
    image_seeds,
    network_drafts,
)
from civitai_mock.api.v2.steps.prices import image_gen_price, text_to_image_price
from civitai_mock.api.v2.steps.step_type import Blobs, StepInput, StepType, errors_of
from civitai_mock.domain.cost import StepCost
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.sampling import SAMPLINGS, UNDEFINED, scheduler_name
from civitai_mock.generation.job_types.text_to_image import TextToImageDraft
from civitai_mock.ports.steps import StepJobs


class TextToImage(StepType):
    """Makes `quantity` jobs of `batchSize` images each, or a drawing for each of them if there is no graph."""

    name: ClassVar[str] = "textToImage"
    PATHS: ClassVar[Mapping[str, str]] = {
        "source_image": "sourceImage",
        "networks.": "",
        "networks": "additionalNetworks",
        "clip_skip": "clipSkip",
        "quantity": "batchSize",
    }

    def cost(self, step_input: StepInput) -> StepCost:
        return text_to_image_price(step_input)

    def jobs(self, step_input: StepInput, *, seed: int) -> StepJobs:
        size = step_input["batchSize"]
        if not has_graph(step_input["model"]):
            seeds = image_seeds(step_input, drawn=seed, jobs=image_count(step_input) * size)
            return StepJobs(drafts=[drawing_draft(step_input, seed=one) for one in seeds])
        seeds = image_seeds(step_input, drawn=seed, jobs=image_count(step_input), step=size)
        return StepJobs(
            drafts=[self._draft(step_input, seed=first, size=size) for first in seeds],
            paths={**self.PATHS, **control_net_paths(step_input)},
        )

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        errors = errors_of(jobs)
        return {"images": blobs.render_all(jobs), **({"errors": errors} if errors else {})}

    def _draft(self, step_input: StepInput, *, seed: int, size: int) -> TextToImageDraft:
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
            networks=network_drafts(step_input),
            control_nets=control_net_drafts(step_input),
            quantity=size,
            file=image_file(step_input),
        )


class ImageGen(StepType):
    """Makes a job for each image: by a graph of ours where there is one for the ecosystem, else by a drawing."""

    name: ClassVar[str] = "imageGen"

    def cost(self, step_input: StepInput) -> StepCost:
        return image_gen_price(step_input)

    def jobs(self, step_input: StepInput, *, seed: int) -> StepJobs:
        seeds = image_seeds(step_input, drawn=seed, jobs=image_count(step_input))
        drafts = [image_gen_draft(step_input, seed=seed) for seed in seeds]
        return StepJobs(drafts=drafts, paths=graph_paths(step_input))

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        return {"images": blobs.render_all(jobs), "errors": errors_of(jobs)}
