"""What prompt texts name is found on the server, and images tell what was run."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest
from PIL import Image, PngImagePlugin

from civitai_mock.domain.errors import JobError
from civitai_mock.providers.comfyui.provider import ComfyUI
from tests.support.comfyui import IMPATIENT, TICK, comfyui_on, content_of, finish, make_submission
from tests.support.generation import MODELS, graph_of
from tests.support.standin import MODELS as FILES
from tests.support.standin import RunningStandin, plain_png, running_standin
from tests.support.standin_session import text_to_image, with_inputs, with_node

SELDOM = replace(IMPATIENT, health_interval=100_000 * TICK)  # lists are read at the start, and when one is looked for
STOCK = {**FILES, "embeddings": ["sub/EasyNegative.pt"], "checkpoints": ["128713.safetensors"]}


def texts_of(image: bytes) -> dict[str, str]:
    opened = Image.open(io.BytesIO(image))
    opened.load()
    assert isinstance(opened, PngImagePlugin.PngImageFile)
    return dict(opened.text)


def requested(prompt: str, negative: str = "") -> Any:
    return graph_of({"model": MODELS["sd1"], "params": {"prompt": prompt, "negativePrompt": negative, "seed": 7}})


async def ran(
    standin: RunningStandin, provider: ComfyUI, graph: Any, *, words: bool = True, optional: Sequence[str] = ()
) -> tuple[Any, dict[str, str]]:
    """Return the graph that the server's history has, and the texts of the first image."""
    submission = replace(make_submission(graph), words_name_embeddings=words, optional_nodes=optional)
    finished = await finish(provider, submission)
    async with httpx.AsyncClient(base_url=standin.url, timeout=60) as client:
        entry = (await client.get(f"/history/{submission.prompt_id}")).json()[submission.prompt_id]
    return entry["prompt"][2], texts_of(finished.contents[0])


async def test_a_lora_tag_is_found_by_its_bare_name_and_the_texts_of_the_image_name_it() -> None:
    async with running_standin(models=STOCK) as standin, comfyui_on(standin) as provider:
        graph, texts = await ran(standin, provider, requested("[a fox] <lora:Style:0.6:0.8>"))
    assert graph["LoraLoader"]["inputs"]["lora_name"] == "style.safetensors"
    assert json.loads(texts["prompt"]) == graph
    assert texts["parameters"].startswith("(a fox:0.909) <lora:style:0.8>\nSteps: ")
    assert "Seed: 7, Size: 512x512, Model: 128713" in texts["parameters"]


@pytest.mark.parametrize("loras", [["style.safetensors"], [], ["a/styles.pt", "b/styles.pt"]])
async def test_a_tag_without_a_file_of_its_own_changes_nothing(loras: list[str]) -> None:
    async with running_standin(models={**STOCK, "loras": loras}) as standin, comfyui_on(standin) as provider:
        graph, _ = await ran(standin, provider, requested("a fox <lora:styles>"), optional=["LoraLoader"])
        without, _ = await ran(standin, provider, requested("a fox"))
    assert graph == without


async def test_a_network_that_no_text_asks_for_fails_with_folder_and_nearest_names() -> None:
    async with running_standin(models=STOCK) as standin, comfyui_on(standin) as provider:
        with pytest.raises(JobError, match="'styles' is not in loras") as failed:
            await finish(provider, make_submission(requested("a fox <lora:styles>")))
    assert failed.value.evidence["missing"] == [
        {"file": "styles", "folder": "loras", "reason": "absent", "nearest": ["style.safetensors"]}
    ]


async def test_a_server_that_has_the_file_of_a_tag_is_the_better_one() -> None:
    plain, better = ({**STOCK, "loras": loras} for loras in ([], ["styles.safetensors"]))
    submission = replace(make_submission(requested("a fox <lora:styles>")), optional_nodes=["LoraLoader"])
    async with (
        running_standin(models=plain) as first,
        running_standin(models=better) as second,
        comfyui_on(first, second) as provider,
    ):
        await provider.send(submission)
        outputs = await provider.collect(submission.prompt_id)
        assert outputs.facts["worker"] == provider.workers[1].id


async def test_a_file_of_a_tag_that_came_a_moment_ago_is_used() -> None:
    submission = replace(make_submission(requested("a fox <lora:new>")), optional_nodes=["LoraLoader"])
    models = dict(STOCK)
    async with running_standin(models=models) as standin, comfyui_on(standin, options=SELDOM) as provider:
        models["loras"] = ["sub/new.safetensors"]
        receipt = await provider.send(submission)
    assert receipt.graph["LoraLoader"]["inputs"]["lora_name"] == "sub/new.safetensors"  # type: ignore[index,call-overload]


async def test_a_file_of_a_tag_that_went_a_moment_ago_is_left_out() -> None:
    submission = replace(make_submission(requested("a fox <lora:style>")), optional_nodes=["LoraLoader"])
    models = dict(STOCK)
    async with running_standin(models=models) as standin, comfyui_on(standin) as provider:
        models["loras"] = ["another.safetensors"]
        assert "LoraLoader" not in (await provider.send(submission)).graph


async def test_a_word_that_is_the_name_of_an_embedding_means_it() -> None:
    async with running_standin(models=STOCK) as standin, comfyui_on(standin) as provider:
        graph, texts = await ran(standin, provider, requested("a fox", "text,easynegative!, embedding:EasyNegative"))
    assert (
        graph["CLIPTextEncode_1"]["inputs"]["text"] == "text, embedding:sub/EasyNegative !, embedding:sub/EasyNegative"
    )
    assert "Negative prompt: text, embedding:sub/EasyNegative" in texts["parameters"]


async def test_a_users_own_graph_keeps_its_words() -> None:
    async with running_standin(models=STOCK) as standin, comfyui_on(standin) as provider:
        graph, _ = await ran(standin, provider, requested("a fox", "easynegative"), words=False)
    assert graph["CLIPTextEncode_1"]["inputs"]["text"] == "easynegative"


async def test_an_image_of_the_socket_has_as_many_texts_as_a_file() -> None:
    async with running_standin(draw=lambda *_: plain_png()) as standin, comfyui_on(standin) as provider:
        graph, texts = await ran(
            standin, provider, with_node(text_to_image(), "9", "SaveImageWebsocket", images=["8", 0]), words=False
        )
    assert json.loads(texts["prompt"]) == graph
    assert "Model: sd15" in texts["parameters"]


async def test_after_a_restart_the_texts_of_an_image_are_those_of_the_servers_history() -> None:
    async with running_standin() as standin:
        submission = make_submission(with_inputs(text_to_image(), "6", text="another fox"))
        async with comfyui_on(standin) as first:
            await finish(first, submission)
        async with comfyui_on(standin) as second:
            outputs = await second.collect(submission.prompt_id)
            content = await content_of(outputs.items[0])
    assert texts_of(content)["parameters"].startswith("another fox\n")
