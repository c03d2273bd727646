"""POST /prompt on the stand-in: numbers, ids, what a client adds, and how a run ends."""

import io
import json
import struct
from collections.abc import Mapping
from typing import Any

import pytest
from PIL import Image

from civitai_mock.comfyui_standin.options import Damage, StandinOptions
from civitai_mock.comfyui_standin.state.files import FilePlace
from tests.support.dates import START
from tests.support.standin_session import (
    SERVER_ERROR,
    StandinSession,
    last_message,
    standin_session,
    text_to_image,
    with_inputs,
    with_node,
)


@pytest.mark.parametrize(
    ("given", "expected"), [("my-job-001", "my-job-001"), (12345, "12345"), ("", ""), (None, "None"), (["a"], "['a']")]
)
async def test_a_prompt_id_may_be_anything_and_becomes_text(session: StandinSession, given: Any, expected: str) -> None:
    answer = await session.post(text_to_image(), prompt_id=given)
    assert (answer.status_code, answer.json()["prompt_id"]) == (200, expected)


async def test_without_a_prompt_id_each_prompt_gets_its_own(session: StandinSession) -> None:
    assert await session.submit(text_to_image()) != await session.submit(text_to_image())


async def test_numbers_count_requests_and_front_makes_them_negative(session: StandinSession) -> None:
    session.server.faults.set(stuck=True)
    additions: list[dict[str, Any]] = [
        {}, {"front": True}, {}, {"front": True}, {"number": 5}, {"number": -1.5}, {"number": "3"}, {"front": False},
    ]  # fmt: skip
    numbers = [(await session.post(text_to_image(), **added)).json()["number"] for added in additions]
    assert numbers == [0, -1, 2, -3, 5.0, -1.5, 3.0, 4]


async def test_pending_prompts_are_listed_in_heap_order_and_run_in_order_of_their_numbers(
    session: StandinSession,
) -> None:
    session.server.faults.set(stuck=True)
    await session.submit(text_to_image(), prompt_id="running")
    for number in range(1, 12):
        await session.post({}, number=number)  # refused, and so not counted: their number was given
    waiting: dict[str, dict[str, Any]] = {
        "n-default-1": {"number": 12}, "front-1": {"number": -13}, "n-default-2": {"number": 14},
        "front-2": {"number": -15}, "number-5": {"number": 5}, "number--1.5": {"number": -1.5},
        "number-str": {"number": "3"}, "front-false": {"number": 16},
    }  # fmt: skip
    for prompt_id, added in waiting.items():
        await session.submit(text_to_image(), prompt_id=prompt_id, **added)
    listed = (await session.queue())["pending"]
    assert listed == [
        "front-2", "front-1", "number--1.5", "n-default-1", "number-5", "n-default-2", "number-str", "front-false",
    ]  # fmt: skip
    session.server.faults.clear()
    await session.listener.until_idle()
    assert list((await session.client.get("/history")).json()) == [
        "running", "front-2", "front-1", "number--1.5", "number-str", "number-5", "n-default-1", "n-default-2",
        "front-false",
    ]  # fmt: skip


async def test_a_refused_prompt_uses_up_a_number(session: StandinSession) -> None:
    assert (await session.post({})).status_code == 400
    assert (await session.post(text_to_image())).json()["number"] == 1


async def test_an_id_that_is_pending_already_is_taken_again_and_history_keeps_the_last(
    session: StandinSession,
) -> None:
    session.server.faults.set(stuck=True)
    await session.submit(text_to_image(seed=1), prompt_id="twice")
    await session.submit(text_to_image(seed=2), prompt_id="twice")
    session.server.faults.clear()
    await session.listener.until_idle()
    entries = (await session.client.get("/history")).json()
    assert list(entries) == ["twice"]
    assert entries["twice"]["prompt"][2]["3"]["inputs"]["seed"] == 2
    assert session.server.prompt("twice").outcomes == ["success", "success"]


async def test_equal_number_and_id_are_an_error_and_in_the_queue_all_the_same(session: StandinSession) -> None:
    session.server.faults.set(stuck=True)
    await session.submit(text_to_image(), prompt_id="running")
    first, second = [await session.post(text_to_image(seed=seed), prompt_id="same", number=7) for seed in range(2)]
    assert (first.status_code, second.status_code, second.text) == (200, 500, SERVER_ERROR)
    assert (await session.queue())["pending"] == ["same", "same"]


async def test_extra_data_is_kept_without_its_keys_and_with_the_client_id_of_the_request(
    session: StandinSession,
) -> None:
    extra = {"auth_token_comfy_org": "secret", "api_key_comfy_org": "secret", "client_id": "inner", "mykey": "v"}
    entry = await session.run(text_to_image(), extra_data=extra, client_id="outer")
    assert entry["prompt"][3] == {"client_id": "outer", "mykey": "v"}


async def test_a_saved_image_carries_the_whole_graph_and_what_the_client_added(session: StandinSession) -> None:
    graph = text_to_image()
    await session.run(graph, extra_data={"extra_pnginfo": {"workflow": {"hello": 1}, "myjob": {"id": 7}}})
    content = (await session.client.get("/view", params={"filename": "ComfyUI_00001_.png"})).content
    with Image.open(io.BytesIO(content)) as image:
        texts = {name: json.loads(text) for name, text in image.info.items() if isinstance(text, str)}
    assert texts == {"prompt": graph, "workflow": {"hello": 1}, "myjob": {"id": 7}}


async def test_values_are_kept_as_they_were_converted(session: StandinSession) -> None:
    graph = with_inputs(text_to_image(), "3", steps="2", cfg=7)
    graph = with_inputs(graph, "6", text={"__value__": ["a", "b"]})
    inputs = (await session.run(graph))["prompt"][2]
    assert (inputs["3"]["inputs"]["steps"], inputs["3"]["inputs"]["cfg"]) == (2, 7.0)
    assert inputs["6"]["inputs"]["text"] == "['a', 'b']"


async def test_a_number_that_is_nan_is_answered_as_nan(session: StandinSession) -> None:
    answer = await session.client.post(
        "/prompt", content=json.dumps({"prompt": text_to_image(), "number": float("nan")})
    )
    assert '"number": NaN' in answer.text


@pytest.mark.parametrize(
    "document",
    [
        {"prompt": {"4": 9}},
        {"prompt": ["4"]},
        {"prompt": "text"},
        {"prompt": text_to_image(), "number": "abc"},
        {"prompt": text_to_image(), "extra_data": None, "client_id": "c"},
        {"prompt": text_to_image(), "extra_data": "text", "client_id": "c"},
        7,
        "prompt",
    ],
)
async def test_a_document_of_an_unexpected_shape_is_a_server_error(session: StandinSession, document: Any) -> None:
    answer = await session.client.post("/prompt", json=document)
    assert (answer.status_code, answer.text) == (500, SERVER_ERROR)


@pytest.mark.parametrize(("extra_data", "type_name"), [("text", "str"), (["a"], "list")], ids=["a string", "a list"])
async def test_extra_data_of_another_type_fails_where_the_image_is_saved(
    session: StandinSession, extra_data: Any, type_name: str
) -> None:
    kind, fields = last_message(await session.run(text_to_image(), extra_data=extra_data))
    assert (kind, fields["node_id"], fields["exception_type"]) == ("execution_error", "9", "AttributeError")
    assert fields["exception_message"] == f"'{type_name}' object has no attribute 'get'\n"


ORPHAN_WITHOUT_INPUTS = {**text_to_image(), "99": {"class_type": "KSampler"}}


DEADLY: Mapping[str, dict[str, Any]] = {
    "extra_data null": {"prompt": text_to_image(), "extra_data": None},
    "an orphan without inputs": {"prompt": ORPHAN_WITHOUT_INPUTS},
    "an orphan with null inputs": {"prompt": {**text_to_image(), "99": {"class_type": "KSampler", "inputs": None}}},
    "a list as client id": {"prompt": text_to_image(), "client_id": ["c"]},
    "a stranger from nowhere": {"prompt": with_inputs(text_to_image(), "3", stranger=["12345", 0])},
}


@pytest.mark.parametrize("document", DEADLY.values(), ids=DEADLY)
async def test_a_prompt_that_kills_comfyui_ends_only_itself(session: StandinSession, document: dict[str, Any]) -> None:
    assert (await session.client.post("/prompt", json={**document, "prompt_id": "deadly"})).status_code == 200
    await session.listener.until_idle()
    assert (await session.run(text_to_image(seed=2)))["status"]["status_str"] == "success"
    kind, fields = last_message(await session.history("deadly"))
    assert (kind, fields["node_id"], fields["executed"]) == ("execution_error", None, [])


@pytest.mark.parametrize("document", DEADLY.values(), ids=DEADLY)
async def test_a_mortal_worker_dies_of_a_prompt_that_kills_comfyui(
    session: StandinSession, document: dict[str, Any]
) -> None:
    session.server.faults.set(mortal=True)
    answer = await session.client.post("/prompt", json={**document, "prompt_id": "deadly"})
    assert answer.status_code == 200
    assert (await session.post(text_to_image(), prompt_id="after")).status_code == 200
    assert await session.queue() == {"running": ["deadly"], "pending": ["after"]}
    assert (await session.client.get("/history/deadly")).json() == {}
    session.server.restart()
    assert await session.queue() == {"running": [], "pending": []}


@pytest.mark.parametrize(
    "orphans",
    [
        {"98": {"class_type": "VAEDecode", "inputs": {"samples": ["12345", 0], "vae": ["4", 2]}}},
        {
            "98": {"class_type": "LatentUpscale", "inputs": {"samples": ["99", 0]}},
            "99": {"class_type": "LatentUpscale", "inputs": {"samples": ["98", 0]}},
        },
    ],
    ids=["dangling", "in a circle"],
)
async def test_nodes_that_no_output_needs_may_have_loose_ends(session: StandinSession, orphans: Any) -> None:
    assert (await session.run({**text_to_image(), **orphans}))["status"]["status_str"] == "success"


async def test_an_output_with_a_loose_end_is_left_out_and_reported(session: StandinSession) -> None:
    graph = with_node(text_to_image(), "99", "SaveImage", filename_prefix="x", images=["12345", 0])
    answer = (await session.post(graph, prompt_id="half")).json()
    (error,) = answer["node_errors"]["99"]["errors"]
    assert (error["type"], error["details"]) == ("exception_during_validation", "'12345'")
    assert error["extra_info"]["exception_type"] == "KeyError"
    await session.listener.until_idle()
    assert list((await session.history("half"))["outputs"]) == ["9"]


DAMAGED = StandinOptions(damage={"sd15.safetensors": Damage.NO_TEXT_ENCODER})
RUNTIME_FAILURES = [
    pytest.param(
        with_node(
            with_inputs(text_to_image(), "9", images=["11", 0]), "11", "ImageUpscaleWithModel",
            image=["8", 0], upscale_model=["10", 0],
        ) | {"10": {"class_type": "UpscaleModelLoader", "inputs": {"model_name": "nope.pth"}}},
        "FileNotFoundError: Model in folder 'upscale_models' with filename 'nope.pth' not found.\n",
        id="a new-style list is not validated",
    ),
    pytest.param(
        with_inputs(text_to_image(), "3", vae=["4", 2]),
        "TypeError: KSampler.sample() got an unexpected keyword argument 'vae'\n",
        id="a link to an input that is not there",
    ),
    pytest.param(
        with_inputs(text_to_image(), "3", model="4"),
        "AttributeError: 'str' object has no attribute 'get_model_object'\n",
        id="text in place of a link",
    ),
    pytest.param(
        with_inputs(text_to_image(), "5", width=16384, height=16384, batch_size=4096),
        "torch.OutOfMemoryError: Allocation on device \n",
        id="more pixels than there is room for",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("graph", "error"), RUNTIME_FAILURES)
async def test_what_validation_lets_through_fails_when_it_runs(session: StandinSession, graph: Any, error: str) -> None:
    kind, fields = last_message(await session.run(graph))
    assert kind == "execution_error"
    assert f"{fields['exception_type']}: {fields['exception_message']}" == error


async def test_a_checkpoint_without_text_encoders_fails_at_the_text() -> None:
    async with standin_session(options=DAMAGED) as session:
        _, fields = last_message(await session.run(text_to_image()))
        assert fields["node_type"] == "CLIPTextEncode"
        assert fields["exception_message"].startswith("ERROR: clip input is invalid: None\n\nIf the clip")


async def test_an_image_that_is_deleted_after_validation_fails_where_it_is_loaded(session: StandinSession) -> None:
    place = FilePlace("input", "", "in.png")
    session.server.state.files.put(place, plain(1), now=START)
    session.server.faults.set(stuck=True)
    await session.submit(text_to_image(), prompt_id="running")
    graph = with_node(text_to_image(), "10", "LoadImage", image="in.png")
    await session.submit(with_inputs(graph, "9", images=["10", 0]), prompt_id="p")
    session.server.state.files.delete(place)
    session.server.faults.clear()
    await session.listener.until_idle()
    _, fields = last_message(await session.history("p"))
    assert fields["exception_type"] == "FileNotFoundError"


async def test_with_any_model_accepted_no_name_is_refused() -> None:
    async with standin_session(models={}, options=StandinOptions(accept_any_model=True)) as session:
        entry = await session.run(text_to_image(checkpoint="whatever.safetensors"))
        assert entry["status"]["completed"]


async def test_a_model_file_is_there_from_the_moment_it_is_listed() -> None:
    models = {"checkpoints": ["a.safetensors"]}
    async with standin_session(models=models) as session:
        assert (await session.post(text_to_image(checkpoint="b.safetensors"))).status_code == 400
        models["checkpoints"].append("b.safetensors")
        assert (await session.post(text_to_image(checkpoint="b.safetensors"))).status_code == 200


async def test_a_body_above_the_limit_is_refused_with_its_size() -> None:
    async with standin_session(options=StandinOptions(upload_mebibytes=1000 / 1024**2)) as session:
        answer = await session.client.post("/prompt", content=b" " * 1001)
        assert (answer.status_code, answer.text) == (413, "Maximum request body size 1000 exceeded.")


async def test_a_whole_batch_is_saved_under_running_numbers() -> None:
    graph = with_inputs(text_to_image(prefix="a/b_%batch_num%_%width%"), "5", batch_size=3)
    async with standin_session() as session:
        images = (await session.run(graph))["outputs"]["9"]["images"]
        names = [f"b_{index}_64_{index + 1:05}_.png" for index in range(3)]
        assert [image["filename"] for image in images] == names
        assert {image["subfolder"] for image in images} == {"a"}


def plain(index: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), (index, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


async def test_a_streamed_batch_is_one_frame_for_each_image() -> None:
    graph = with_node(text_to_image(), "9", "SaveImageWebsocket", images=["8", 0])
    graph = with_inputs(graph, "5", batch_size=3)
    async with standin_session(draw=lambda _, index, __: plain(index)) as session:
        await session.run(graph)
        frames = [frame for frame in session.listener.heard if isinstance(frame, bytes)]
    assert [struct.unpack(">II", frame[:8]) for frame in frames] == [(1, 2)] * 3
    assert [frame[8:] for frame in frames] == [plain(index) for index in range(3)]


async def test_every_route_of_prompts_is_under_api_as_well(session: StandinSession) -> None:
    answer = await session.client.post("/api/prompt", json={"prompt": text_to_image(), "prompt_id": "p"})
    assert answer.status_code == 200
    await session.listener.until_idle()
    assert list((await session.client.get("/api/history/p")).json()) == ["p"]
