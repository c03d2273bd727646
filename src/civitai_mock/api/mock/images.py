"""Look at the images that were made, whoever asked for them."""

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import use_cases
from civitai_mock.api.mock import CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.jobs import position_text, read_position, since_of
from civitai_mock.api.mock.lists import LIST_PARAMETERS, listing, requested_page
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import ImageItem, ImageItemList
from civitai_mock.api.openapi import Operation, text_parameter
from civitai_mock.api.query_params import optional
from civitai_mock.domain.dotnet import format_date
from civitai_mock.domain.errors import fault
from civitai_mock.services.job_listing import prompt_of
from civitai_mock.services.list_images import ImageFilter, MadeImage

LONGEST_SEED = 20


async def list_images(request: Request) -> Response:
    page = requested_page(request)
    wanted = ImageFilter(
        seed=_seed(optional(request, "seed")), text=optional(request, "q") or None, since=since_of(request)
    )
    before = None if page.after is None else read_position(page.after)
    found = await use_cases(request).looking_in.list_images(wanted, before=before, take=page.take)
    last = None if found.last is None else position_text(found.last)
    return listing([_render(image) for image in found.images], last=last)


def _render(image: MadeImage) -> ImageItem:
    job, slot, facts = image.job, image.slot, image.blob.facts
    item: ImageItem = {
        "blobKey": slot.blob_key,
        "jobId": job.id,
        "index": image.index,
        "madeAt": format_date(job.last_event.at),
        "contentType": image.blob.content_type,
        "nsfwLevel": image.nsfw_level,
    }
    if slot.seed is not None:
        item["seed"] = slot.seed
    if (prompt := prompt_of(job.spec)) is not None:
        item["prompt"] = prompt
    if job.resources:
        item["model"] = str(job.resources[0].air)
    if facts is not None and facts.width and facts.height:
        item["width"], item["height"] = facts.width, facts.height
    return item


def _seed(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_SEED):
        raise fault("seed", "Expected a seed, which is a whole number.")
    return int(text)


ROUTES = [
    ControlRoute(
        "/images",
        list_images,
        method="GET",
        operation=Operation(
            id="listMockImages",
            summary="List the images that jobs have made, those of the youngest job first",
            description=(
                "The images of one job come on one page. `q` and `since` are as in the list of jobs, and a search looks"
                " at 2,000 jobs for one page. How mature an image is may be known only by the words of its prompt."
            ),
            tag=CONTROL_TAG,
            parameters=[
                *(text_parameter(name, required=False) for name in ("seed", "q", "since")),
                *LIST_PARAMETERS,
            ],
            responses={200: ImageItemList},
            problems=READ_PROBLEMS,
        ),
    )
]
