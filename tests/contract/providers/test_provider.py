"""The contract of every provider, whatever runs its graphs."""

import asyncio
import io
import json
from collections.abc import AsyncIterator

import pytest
from PIL import Image

from civitai_mock.domain.errors import JobError, TransientError
from civitai_mock.ports import Provider
from tests.support.comfy_graphs import Graph, node, text_to_image
from tests.support.event_loop import settle
from tests.support.provider_openers import PROVIDERS, ProviderOpener, content, submission

PROMPT_ID = "8fbb987c-c100-4ac4-af1d-fd07ea85a59c"
OTHER_ID = "f99affe8-a37e-4731-9d6f-a9acc42ca4ee"


@pytest.fixture(params=PROVIDERS.values(), ids=list(PROVIDERS))
def opening(request: pytest.FixtureRequest) -> ProviderOpener:
    chosen: ProviderOpener = request.param
    return chosen


@pytest.fixture
async def provider(opening: ProviderOpener) -> AsyncIterator[Provider]:
    async with opening(slow=False) as opened:
        yield opened


@pytest.fixture
async def slow_provider(opening: ProviderOpener) -> AsyncIterator[Provider]:
    async with opening(slow=True) as opened:
        yield opened


async def run(provider: Provider, graph: Graph, prompt_id: str = PROMPT_ID) -> list[bytes]:
    await provider.send(submission(prompt_id, graph))
    return await collected(provider, graph, prompt_id)


async def collected(provider: Provider, graph: Graph, prompt_id: str = PROMPT_ID) -> list[bytes]:
    return [await content(output, graph) for output in (await provider.collect(prompt_id)).items]


async def test_a_receipt_is_the_answer_of_comfyui(provider: Provider) -> None:
    receipt = await provider.send(submission(PROMPT_ID, text_to_image()))
    assert receipt.prompt_id == receipt.response["prompt_id"] == PROMPT_ID
    assert receipt.response.keys() == {"prompt_id", "number", "node_errors"}
    assert receipt.response["node_errors"] == {}


async def test_a_prompt_makes_a_png_of_the_requested_size(provider: Provider) -> None:
    graph = text_to_image(width=96, height=64)
    await provider.send(submission(PROMPT_ID, graph))
    (output,) = (await provider.collect(PROMPT_ID)).items
    image = Image.open(io.BytesIO(await content(output, graph)))
    assert (output.node_id, output.content_type) == ("9", "image/png")
    assert (image.format, image.size) == ("PNG", (96, 64))


async def test_a_saved_image_contains_its_graph(provider: Provider) -> None:
    graph = text_to_image()
    (data,) = await run(provider, graph)
    assert json.loads(Image.open(io.BytesIO(data)).info["prompt"]) == graph


async def test_a_batch_makes_one_output_per_image_and_begins_with_the_single_image(provider: Provider) -> None:
    batch = await run(provider, text_to_image(batch=3))
    single = await run(provider, text_to_image(), OTHER_ID)
    pixels = [Image.open(io.BytesIO(data)).convert("RGB").tobytes() for data in [*batch, *single]]
    assert len(batch) == len(set(pixels)) == 3
    assert pixels[0] == pixels[3]


async def test_outputs_come_in_the_order_of_their_nodes(provider: Provider) -> None:
    graph = text_to_image(batch=2, outputs={"last": "SaveImage", "10": "SaveImage", "9": "SaveImage"})
    await provider.send(submission(PROMPT_ID, graph))
    outputs = await provider.collect(PROMPT_ID)
    assert [output.node_id for output in outputs.items] == ["9", "9", "10", "10", "last", "last"]


@pytest.mark.parametrize(
    ("classes", "kept"),
    [
        ({"9": "PreviewImage"}, ["9"]),
        ({"9": "PreviewImage", "10": "SaveImage"}, ["10"]),
        ({"9": "SaveImageWebsocket"}, ["9"]),
    ],
)
async def test_a_preview_counts_only_where_nothing_is_saved(
    provider: Provider, classes: dict[str, str], kept: list[str]
) -> None:
    await provider.send(submission(PROMPT_ID, text_to_image(outputs=classes)))
    outputs = await provider.collect(PROMPT_ID)
    assert [output.node_id for output in outputs.items] == kept


async def test_answers_of_a_provider_are_json(provider: Provider) -> None:
    await provider.send(submission(PROMPT_ID, text_to_image()))
    facts = dict((await provider.collect(PROMPT_ID)).facts)
    assert json.loads(json.dumps(facts)) == facts


async def test_sending_a_finished_prompt_again_starts_nothing(provider: Provider) -> None:
    first = await provider.send(submission(PROMPT_ID, text_to_image()))
    await provider.collect(PROMPT_ID)
    again = await provider.send(submission(PROMPT_ID, text_to_image(seed=43)))
    later = await provider.send(submission(OTHER_ID, text_to_image()))
    assert again.response == first.response
    assert later.response["number"] != first.response["number"]


async def test_sending_an_unfinished_prompt_again_starts_nothing(slow_provider: Provider) -> None:
    first = await slow_provider.send(submission(PROMPT_ID, text_to_image()))
    again = await slow_provider.send(submission(PROMPT_ID, text_to_image()))
    assert again.response == first.response


async def test_a_receipt_says_whether_the_prompt_was_there_already(slow_provider: Provider) -> None:
    sent = [await slow_provider.send(submission(PROMPT_ID, text_to_image())) for _ in range(2)]
    await slow_provider.cancel(PROMPT_ID)
    sent.append(await slow_provider.send(submission(OTHER_ID, text_to_image())))
    assert [receipt.found for receipt in sent] == [False, True, False]


async def test_a_finished_prompt_can_be_collected_again(provider: Provider) -> None:
    graph = text_to_image(batch=2)
    first = await run(provider, graph)
    assert await collected(provider, graph) == first


async def test_prompts_do_not_mix(provider: Provider) -> None:
    graphs = {PROMPT_ID: text_to_image(width=64), OTHER_ID: text_to_image(width=128)}
    for prompt_id, graph in graphs.items():
        await provider.send(submission(prompt_id, graph))
    for prompt_id, width in ((OTHER_ID, 128), (PROMPT_ID, 64)):
        (data,) = await collected(provider, graphs[prompt_id], prompt_id)
        assert Image.open(io.BytesIO(data)).width == width


async def test_a_prompt_that_was_never_sent_is_lost(provider: Provider) -> None:
    with pytest.raises(TransientError):
        await provider.collect(PROMPT_ID)


async def test_a_graph_without_outputs_ends_the_job(provider: Provider) -> None:
    graph = text_to_image()
    del graph["9"]
    with pytest.raises(JobError) as caught:
        await provider.send(submission(PROMPT_ID, graph))
    assert caught.value.evidence["error_type"] == "prompt_no_outputs"


async def test_a_refusal_names_the_node(provider: Provider) -> None:
    graph = text_to_image() | {"9": node("SaveImage", filename_prefix="x")}
    with pytest.raises(JobError) as caught:
        await provider.send(submission(PROMPT_ID, graph))
    node_errors = caught.value.evidence["node_errors"]
    assert isinstance(node_errors, list)
    assert [(fault["node_id"], fault["type"]) for fault in node_errors] == [("9", "required_input_missing")]


async def test_cancelling_ends_the_wait_for_a_prompt(slow_provider: Provider) -> None:
    await slow_provider.send(submission(PROMPT_ID, text_to_image()))
    waiting = asyncio.create_task(slow_provider.collect(PROMPT_ID))
    await settle()
    assert not waiting.done()
    await slow_provider.cancel(PROMPT_ID)
    with pytest.raises(JobError):
        await waiting


async def test_cancelling_an_unknown_prompt_is_not_an_error(provider: Provider) -> None:
    await provider.cancel(PROMPT_ID)


async def test_cancelling_a_finished_prompt_changes_nothing(provider: Provider) -> None:
    first = await run(provider, text_to_image())
    await provider.cancel(PROMPT_ID)
    assert await collected(provider, text_to_image()) == first


async def test_a_cancelled_wait_leaves_the_prompt_running(slow_provider: Provider) -> None:
    first = await slow_provider.send(submission(PROMPT_ID, text_to_image()))
    waiting = asyncio.create_task(slow_provider.collect(PROMPT_ID))
    await settle()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await slow_provider.send(submission(PROMPT_ID, text_to_image()))).response == first.response
