"""The command line of the stand-in: ComfyUI's options, their defaults, and what a client sees of them."""

import argparse
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from civitai_mock.bootstrap.standin import make_comfyui_standin
from civitai_mock.comfyui_standin.arguments import IGNORED_SWITCHES, IGNORED_VALUES, add_arguments, split_addresses
from civitai_mock.comfyui_standin.options import StandinOptions
from civitai_mock.settings import SettingsError
from tests.support.comfyui_listener import listen_to
from tests.support.paths import DATA
from tests.support.served_app import make_settings
from tests.support.standin_session import (
    StandinSession,
    command_line_options,
    standin_session,
    text_to_image,
    with_inputs,
)

REAL: dict[str, dict[str, Any]] = json.loads((DATA / "comfyui_options.json").read_text("utf-8"))
OWN = {"--help", "--object-info", "--comfyui-version"}
OTHER_DEFAULTS = {"--listen": None}  # the setting HOST, which is 127.0.0.1 by default


def _actions() -> dict[str, argparse.Action]:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return {action.option_strings[-1]: action for action in parser._actions}


def test_the_options_are_those_of_comfyui() -> None:
    assert _actions().keys() - OWN == REAL.keys()


@pytest.mark.parametrize("name", sorted(REAL.keys() - {*IGNORED_SWITCHES, *IGNORED_VALUES}))
def test_an_option_has_the_default_that_comfyui_has(name: str) -> None:
    action, real = _actions()[name], REAL[name]
    assert action.default == OTHER_DEFAULTS.get(name, real["default"])
    assert action.nargs == real.get("nargs")
    assert (action.const if action.nargs == "?" else None) == real.get("const")
    assert (list(action.choices) if action.choices else None) == real.get("choices")


@pytest.mark.parametrize("name", sorted({*IGNORED_SWITCHES, *IGNORED_VALUES}))
def test_an_option_that_changes_nothing_here_is_taken_as_comfyui_takes_it(name: str) -> None:
    values = [] if REAL[name].get("nargs") in (0, "?", "*") else ["1"]
    assert command_line_options(name, *values) == StandinOptions(argv=("main.py", name, *values))


def test_without_options_it_is_a_comfyui_without_options() -> None:
    assert command_line_options() == StandinOptions()


@pytest.mark.parametrize(
    ("listen", "addresses"),
    [("127.0.0.1", ["127.0.0.1"]), ("0.0.0.0,::", ["0.0.0.0", "::"]), ("127.2.2.2, ::1", ["127.2.2.2", "::1"])],  # noqa: S104
)
def test_it_listens_on_one_address_or_more(listen: str, addresses: Sequence[str]) -> None:
    assert split_addresses(listen) == addresses


async def _binary_frames(options: StandinOptions, graph: dict[str, Any]) -> list[bytes]:
    async with standin_session(options=options) as session, listen_to(session.running, "c") as listener:
        await session.submit(graph, prompt_id="p", client_id="c")
        await listener.until_ended("p")
    return [heard for heard in listener.heard if isinstance(heard, bytes)]


@pytest.mark.parametrize(
    ("argv", "previews"),
    [
        ([], 0),
        (["--preview-method", "none"], 0),
        (["--preview-method", "auto"], 8),
        (["--preview-method", "latent2rgb"], 8),
        (["--preview-method", "taesd"], 8),
    ],
)
async def test_previews_come_only_if_they_were_asked_for(argv: list[str], previews: int) -> None:
    assert len(await _binary_frames(command_line_options(*argv), text_to_image(steps=8))) == previews


@pytest.mark.parametrize("argv", [[], ["--preview-method", "auto"]])
async def test_streamed_images_come_with_and_without_previews(argv: list[str]) -> None:
    graph = text_to_image(steps=1) | {"9": {"class_type": "SaveImageWebsocket", "inputs": {"images": ["8", 0]}}}
    frames = await _binary_frames(command_line_options(*argv), graph)
    assert [frame[8:12] for frame in frames if frame[:8] == b"\0\0\0\1\0\0\0\2"] == [b"\x89PNG"]


@pytest.mark.parametrize(("argv", "side"), [([], 512), (["--preview-size", "96"], 96)])
async def test_previews_have_the_size_that_was_asked_for(argv: list[str], side: int) -> None:
    frames = await _binary_frames(command_line_options("--preview-method", "auto", *argv), text_to_image(steps=2))
    for frame in frames:
        with Image.open(io.BytesIO(frame[8:])) as image:
            assert image.size == (side, side)


@pytest.mark.parametrize(("argv", "has_texts"), [([], True), (["--disable-metadata"], False)])
async def test_images_have_the_graph_unless_they_must_not(argv: list[str], has_texts: bool) -> None:
    async with standin_session(options=command_line_options(*argv)) as session:
        await session.run(text_to_image(), extra_data={"extra_pnginfo": {"workflow": {}}})
        content = (await session.client.get("/view?filename=ComfyUI_00001_.png")).content
    with Image.open(io.BytesIO(content)) as image:
        assert (image.info.keys() >= {"prompt", "workflow"}) is has_texts
        assert bool(image.info) is has_texts


async def _cached(session: StandinSession, graph: Any) -> int:
    """Run a graph, and return how many of its nodes were cached."""
    entry = await session.run(graph)
    return next(len(fields["nodes"]) for kind, fields in entry["status"]["messages"] if kind == "execution_cached")


@pytest.mark.parametrize(
    ("argv", "cached"),
    [
        ([], [0, 7, 4, 4]),
        (["--cache-classic"], [0, 7, 4, 4]),
        (["--cache-none"], [0, 0, 0, 0]),
        (["--cache-lru", "100"], [0, 7, 4, 7]),
        (["--cache-lru", "1"], [0, 7, 4, 4]),
    ],
)
async def test_the_cache_option_decides_what_is_kept_for_the_next_prompt(argv: list[str], cached: list[int]) -> None:
    first, second = text_to_image(seed=1), text_to_image(seed=2)
    async with standin_session(options=command_line_options(*argv)) as session:
        assert [await _cached(session, graph) for graph in (first, first, second, first)] == cached


@pytest.mark.parametrize(
    ("argv", "limit", "reported"), [([], 104857600, 104857600), (["--max-upload-size", "0.001"], 1049, 1048.576)]
)
async def test_a_body_may_be_as_large_as_the_option_says(argv: list[str], limit: int, reported: float) -> None:
    options = command_line_options(*argv)
    assert options.max_upload_bytes == limit
    async with standin_session(options=options) as session:
        assert (await session.client.get("/features")).json()["max_upload_size"] == reported
        if limit < 10_000:
            answers = [await session.client.post("/interrupt", content=b" " * size) for size in (limit, limit + 1)]
            assert [answer.status_code for answer in answers] == [200, 413]


@pytest.mark.parametrize(
    ("argv", "allowed"),
    [
        ([], None),
        (["--enable-cors-header"], "*"),
        (["--enable-cors-header", "https://app.example"], "https://app.example"),
    ],
)
async def test_web_pages_of_other_origins_are_allowed_by_an_option(argv: list[str], allowed: str | None) -> None:
    async with standin_session(options=command_line_options(*argv)) as session:
        for method, path in (("GET", "/queue"), ("OPTIONS", "/prompt"), ("GET", "/nope")):
            answer = await session.client.request(method, path, headers={"origin": "https://app.example"})
            assert answer.headers.get("access-control-allow-origin") == allowed
            assert (answer.status_code == 403) is (allowed is None)


COMPRESS = "--enable-compress-response-body"


@pytest.mark.parametrize(
    ("argv", "path", "accepted", "coding"),
    [
        ([], "/queue", "gzip", None),
        ([COMPRESS], "/queue", "gzip", "gzip"),
        ([COMPRESS], "/queue", "gzip, deflate", "deflate"),
        ([COMPRESS], "/queue", "deflate", None),
        ([COMPRESS], "/userdata", "gzip", "gzip"),
        ([COMPRESS], "/", "gzip", None),
        ([COMPRESS], "/view?filename=nope", "gzip", None),
    ],
)
async def test_answers_are_compressed_by_an_option(
    argv: list[str], path: str, accepted: str, coding: str | None
) -> None:
    async with standin_session(options=command_line_options(*argv)) as session:
        plain = await session.client.get(path, headers={"accept-encoding": "identity"})
        answer = await session.client.get(path, headers={"accept-encoding": accepted})
    assert answer.headers.get("content-encoding") == coding
    assert answer.content == plain.content


@pytest.mark.parametrize(
    ("argv", "absent"),
    [
        ([], set()),
        (["--disable-api-nodes"], {"RecraftControls"}),
        (["--disable-all-custom-nodes"], {"SaveImageWebsocket"}),
        (["--disable-all-custom-nodes", "--whitelist-custom-nodes", "websocket_image_save.py"], set()),
    ],
)
async def test_nodes_that_it_was_started_without_are_not_there(argv: list[str], absent: set[str]) -> None:
    watched = {"RecraftControls", "SaveImageWebsocket", "KSampler"}
    async with standin_session(options=command_line_options(*argv)) as session:
        assert watched - (await session.client.get("/object_info")).json().keys() == absent


@pytest.mark.parametrize(("argv", "device"), [([], "cuda"), (["--cpu"], "cpu")])
async def test_system_stats_report_how_it_was_started(argv: list[str], device: str) -> None:
    async with standin_session(options=command_line_options(*argv, "--comfyui-version", "0.3.75")) as session:
        stats = (await session.client.get("/system_stats")).json()
    assert stats["system"]["argv"] == ["main.py", *argv, "--comfyui-version", "0.3.75"]
    assert stats["system"]["comfyui_version"] == "0.3.75"
    assert stats["devices"][0]["type"] == device


EXTRA = "--extra-model-paths-config"
BAD_VALUES = [
    ("--base-directory", "nope", "--base-directory {path} is not a folder"),
    (EXTRA, "nope", "--extra-model-paths-config {path} cannot be read: No such"),
    (EXTRA, "list", "--extra-model-paths-config: {path} must have sections"),
    (EXTRA, "broken", "{path} is not YAML"),
    (EXTRA, "number", "{path}, a: loras must be a path, or one on each line; found 5."),
    ("--object-info", "list", "--object-info: {path} is not JSON"),
    ("--object-info", "odd.json", "--object-info: Node X: `output` must be a list of types."),
    ("--output-directory", "list/x", "the output folder {path} cannot be created: Not a directory"),
]


@pytest.mark.parametrize(("option", "name", "words"), BAD_VALUES)
def test_an_option_that_cannot_work_stops_the_start_with_one_line(
    tmp_path: Path, option: str, name: str, words: str
) -> None:
    files = {"list": "- a", "broken": "a: [", "number": "a: {loras: 5}", "odd.json": '{"X": {"input": {}}}'}
    for file, content in files.items():
        (tmp_path / file).write_text(content)
    with pytest.raises(SettingsError) as refused:
        make_comfyui_standin(make_settings(), [option, str(tmp_path / name)])
    assert words.format(path=tmp_path / name) in str(refused.value)
    assert "\n" not in str(refused.value)


async def test_the_command_s_server_has_an_image_to_load_as_every_comfyui() -> None:
    app = make_comfyui_standin(make_settings())
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        answer = await client.get("/view?filename=example.png&type=input")
        loaders = (await client.get("/object_info/LoadImage")).json()
        checkpoints = (await client.get("/models/checkpoints")).json()
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.size, image.mode) == ((768, 768), "RGB")
    assert loaders["LoadImage"]["input"]["required"]["image"][0] == ["example.png"]
    assert "sd1/civitai/4384/128713.safetensors" in checkpoints


async def test_two_graphs_that_differ_in_the_checkpoint_alone_share_nothing() -> None:
    async with standin_session(options=command_line_options("--cache-lru", "1")) as session:
        first = text_to_image()
        second = with_inputs(first, "4", ckpt_name="sdxl.safetensors")
        assert [await _cached(session, graph) for graph in (first, second, first)] == [0, 1, 1]
