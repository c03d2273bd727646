"""Step types that make images of prompt texts."""

from collections.abc import Mapping, Sequence
from functools import partial
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
from civitai_mock.domain.changed import changed
from civitai_mock.domain.cost import StepCost
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.sampling import SAMPLINGS, UNDEFINED, scheduler_name
from civitai_mock.generation.job_types.images import ImageGenSpec
from civitai_mock.generation.job_types.text_to_image import SeededDrafts, TextToImageDraft
from civitai_mock.ports.steps import JobMaker, StepJobs

NO_PATHS: Mapping[str, str] = {}


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

    def job_maker(self, step_input: StepInput) -> JobMaker:
        size, count = step_input["batchSize"], image_count(step_input)
        if not has_graph(step_input["model"]):
            return drafts_maker(step_input, drawing_draft(step_input), count=count * size)
        paths = {**self.PATHS, **control_net_paths(step_input)}
        return drafts_maker(step_input, self._draft(step_input, size=size), count=count, step=size, paths=paths)

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        errors = errors_of(jobs)
        return {"images": blobs.render_all(jobs), **({"errors": errors} if errors else {})}

    def _draft(self, step_input: StepInput, *, size: int) -> TextToImageDraft:
        return TextToImageDraft(
            model=step_input["model"],
            prompt=step_input["prompt"],
            negative_prompt=step_input.get("negativePrompt"),
            sampling=SAMPLINGS[scheduler_name(step_input.get("scheduler", "")) or UNDEFINED],
            steps=step_input["steps"],
            cfg_scale=step_input["cfgScale"],
            width=step_input["width"],
            height=step_input["height"],
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

    def job_maker(self, step_input: StepInput) -> JobMaker:
        draft, paths = image_gen_draft(step_input), graph_paths(step_input)
        return drafts_maker(step_input, draft, count=image_count(step_input), paths=paths)

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        return {"images": blobs.render_all(jobs), "errors": errors_of(jobs)}


def drafts_maker(
    step_input: StepInput,
    draft: ImageGenSpec | TextToImageDraft,
    *,
    count: int,
    step: int = 1,
    paths: Mapping[str, str] = NO_PATHS,
) -> JobMaker:
    """Return what makes so many jobs of a draft, each with a seed of its own, `step` after the last."""
    seeded = SeededDrafts(draft) if isinstance(draft, TextToImageDraft) else partial(_with_seed, draft)

    def make(seed: int) -> StepJobs:
        seeds = image_seeds(step_input, drawn=seed, jobs=count, step=step)
        return StepJobs(drafts=[seeded(one) for one in seeds], paths=paths)

    return make


def _with_seed(draft: ImageGenSpec, seed: int) -> ImageGenSpec:
    return changed(draft, seed=seed)
