"""What is installed on a stand-in, and changed while it runs: model files, node packs, the system."""

import json
from pathlib import Path
from typing import Any

import pytest

from civitai_mock.comfyui_standin.options import Directories, ExtraFolder, NodePackOptions, StandinOptions
from tests.support.standin_session import StandinSession, last_message, standin_session, text_to_image, with_node

PUBLIC = ["v1-5-pruned-emaonly.safetensors", "sd_xl_base_1.0.safetensors"]
GREETER: dict[str, Any] = {
    "input": {
        "required": {"images": ["IMAGE"], "mood": [["glad", "sad"], {"default": "glad"}], "count": ["INT", {"min": 1}]},
        "optional": {"style": ["COMBO", {"options": ["a", "b"]}], "anything": ["*", {}]},
        "hidden": {"unique_id": "UNIQUE_ID"},
    },
    "input_order": {"required": ["images", "mood", "count"], "optional": ["style", "anything"]},
    "output": ["IMAGE", ["glad", "sad"], "*"],
    "output_is_list": [False, False, False],
    "output_name": ["image", "mood", "any"],
    "name": "Greeter",
    "display_name": "Greet somebody",
    "description": "Says hello.",
    "python_module": "custom_nodes.ComfyUI-Greeter",
    "category": "greetings",
    "output_node": False,
}


async def _send(session: StandinSession, what: str, document: Any, *, method: str = "POST") -> Any:
    answer = await session.client.request(method, f"/standin/{what}", json=document)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _get(session: StandinSession, path: str) -> Any:
    return (await session.client.get(path)).json()


async def test_an_added_file_is_listed_and_accepted_everywhere(session: StandinSession) -> None:
    graph = text_to_image(checkpoint=PUBLIC[0])
    assert (await session.post(graph)).json()["node_errors"]["4"]["errors"][0]["type"] == "value_not_in_list"
    found = await _send(
        session, "models", {"checkpoints": PUBLIC, "embeddings": ["sub/easy.pt"], "loras": ["a.safetensors"]}
    )
    assert set(PUBLIC) < set(found["checkpoints"])
    assert await _get(session, "/models/checkpoints") == found["checkpoints"]
    loader = (await _get(session, "/object_info/CheckpointLoaderSimple"))["CheckpointLoaderSimple"]
    assert loader["input"]["required"]["ckpt_name"][0] == found["checkpoints"]
    assert await _get(session, "/embeddings") == ["sub/easy"]
    listed = await _get(session, "/experiment/models/loras")
    assert [(file["name"], file["size"], file["pathIndex"]) for file in listed] == [
        ("a.safetensors", 0, 0),
        ("style.safetensors", 0, 0),
    ]
    assert last_message(await session.run(graph))[0] == "execution_success"


async def test_a_file_that_was_not_added_is_refused_as_before(session: StandinSession) -> None:
    await _send(session, "models", {"checkpoints": PUBLIC})
    assert (await session.post(text_to_image(checkpoint="v1-5-pruned.safetensors"))).status_code == 400


async def test_files_can_be_replaced_and_reset(session: StandinSession) -> None:
    before = await _get(session, "/standin/models")
    assert await _send(session, "models", {"checkpoints": PUBLIC}, method="PUT") == {"checkpoints": sorted(PUBLIC)}
    assert await _get(session, "/models/loras") == []
    assert (await session.client.delete("/standin/models")).json() == before == await _get(session, "/standin/models")


async def test_added_files_outlast_a_restart(session: StandinSession) -> None:
    await _send(session, "models", {"checkpoints": PUBLIC})
    await session.client.post("/standin/restart")
    assert set(PUBLIC) < set(await _get(session, "/models/checkpoints"))


async def test_folders_may_have_old_names_and_names_of_node_packs(session: StandinSession) -> None:
    document = {"clip": ["c.safetensors"], "unet": ["u.sft"], "ipadapter": ["ip.bin", "note.txt"]}
    found = await _send(session, "models", document)
    assert (found["text_encoders"], found["diffusion_models"]) == (["c.safetensors"], ["u.sft"])
    assert "ipadapter" in await _get(session, "/models")
    assert await _get(session, "/models/ipadapter") == ["ip.bin", "note.txt"]
    assert (await session.client.get("/models/clip")).status_code == 404


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "Model files must be an object."),
        ({"checkpoint": ["a.ckpt"]}, "Unknown folder of model files: checkpoint. Did you mean checkpoints?"),
        ({"Loras": ["a.ckpt"]}, "Unknown folder of model files: Loras. Did you mean loras?"),
        ({"../x": []}, "found '../x'"),
        ({"loras": "a.safetensors"}, "loras must be a list of file names; found 'a.safetensors'."),
        ({"loras": [5]}, "found 5."),
        ({"loras": ["../a.safetensors"]}, "paths of files within the folder"),
        ({"loras": ["/a.safetensors"]}, "paths of files within the folder"),
        ({"loras": [""]}, "found ''."),
        ({"loras": ["readme.txt"]}, "loras must have files with one of the endings that ComfyUI lists: .bin, .ckpt"),
        ({"configs": ["x.safetensors"]}, "one of the endings that ComfyUI lists: .yaml; found 'x.safetensors'."),
    ],
)
async def test_names_that_comfyui_would_not_list_are_refused(
    session: StandinSession, document: Any, words: str
) -> None:
    before = await _get(session, "/standin/models")
    for method in ("POST", "PUT"):
        answer = await session.client.request(method, "/standin/models", json=document)
        assert answer.status_code == 400
        assert words in answer.json()["error"]
    assert await _get(session, "/standin/models") == before


@pytest.mark.parametrize("what", ["models", "nodes", "system"])
async def test_a_body_that_is_not_json_is_refused(session: StandinSession, what: str) -> None:
    answer = await session.client.post(f"/standin/{what}", content="{")
    assert (answer.status_code, answer.json()) == (400, {"error": "The body is not JSON."})


def _with_greeter(**inputs: Any) -> dict[str, Any]:
    graph = with_node(text_to_image(), "20", "Greeter", images=["8", 0], mood="glad", count=1, **inputs)
    graph["9"]["inputs"]["images"] = ["20", 0]
    return graph


async def test_an_added_node_pack_is_described_checked_and_run(session: StandinSession) -> None:
    assert (await session.post(_with_greeter())).json()["error"]["type"] == "invalid_prompt"
    assert await _send(session, "nodes", {"Greeter": GREETER}) == {"Greeter": GREETER}
    assert await _get(session, "/object_info/Greeter") == {"Greeter": GREETER}
    assert (await _get(session, "/object_info"))["Greeter"] == GREETER
    entry = await session.run(_with_greeter())
    assert last_message(entry)[0] == "execution_success"
    assert len(entry["outputs"]["9"]["images"]) == 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"mood": "angry"}, "value_not_in_list"),
        ({"count": 0}, "value_smaller_than_min"),
        ({"count": "many"}, "invalid_input_type"),
        ({"images": ["3", 0]}, "return_type_mismatch"),
        ({"mood": ["20", 5]}, "exception_during_inner_validation"),
        ({"style": "unchecked"}, None),
        ({"anything": ["4", 1]}, None),
    ],
)
async def test_inputs_of_a_pack_s_node_are_checked(session: StandinSession, changes: Any, error: str | None) -> None:
    await _send(session, "nodes", {"Greeter": GREETER})
    graph = _with_greeter()
    graph["20"]["inputs"] |= changes
    answer = (await session.post(graph)).json()
    found = [each["type"] for node in answer["node_errors"].values() for each in node["errors"]]
    assert (found[:1] or [None]) == [error]


async def test_outputs_that_are_lists_or_anything_fit_where_they_fit_in_comfyui(session: StandinSession) -> None:
    await _send(session, "nodes", {"Greeter": GREETER})
    graph = with_node(_with_greeter(), "21", "Greeter", images=["20", 2], mood=["20", 1], count=["20", 2])
    graph["9"]["inputs"]["images"] = ["21", 0]
    assert (await session.post(graph)).json()["node_errors"] == {}
    graph["21"]["inputs"]["count"] = ["20", 1]
    assert (await session.post(graph)).status_code == 400


async def test_the_answer_of_a_real_server_adds_packs_and_files_at_once(session: StandinSession) -> None:
    await _send(session, "models", {}, method="PUT")
    nodes = await _get(session, "/object_info")
    nodes["Greeter"] = GREETER
    nodes["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0] = PUBLIC
    nodes["VAELoader"]["input"]["required"]["vae_name"][0] = ["mine.pt", "pixel_space"]
    nodes["UpscaleModelLoader"]["input"]["required"]["model_name"] = ["COMBO", {"options": ["4x.pth"]}]
    nodes["LoadImage"]["input"]["required"]["image"][0] = ["theirs.png"]
    await _send(session, "nodes", nodes)
    assert await _get(session, "/standin/nodes") == {"Greeter": GREETER}
    found = await _get(session, "/standin/models")
    assert found["checkpoints"] == sorted(PUBLIC)
    assert (found["vae"], found["upscale_models"]) == (["mine.pt"], ["4x.pth"])
    assert (await _get(session, "/object_info/LoadImage"))["LoadImage"]["input"]["required"]["image"][0] == []


async def test_all_definitions_are_those_of_what_is_there_now(session: StandinSession) -> None:
    """Whatever came or went since they were last asked for."""

    async def listed() -> tuple[Any, Any, bool]:
        nodes = await _get(session, "/object_info")
        loaders = (
            nodes["LoadImage"]["input"]["required"]["image"],
            nodes["LoraLoader"]["input"]["required"]["lora_name"],
        )
        return loaders[0][0], loaders[1][0], "Greeter" in nodes

    loras = (await listed())[1]
    assert await listed() == ([], loras, False)
    await session.client.post("/upload/image", files={"image": ("in.png", b"data")})
    assert await listed() == (["in.png"], loras, False)
    await _send(session, "nodes", {"Greeter": GREETER})
    assert await listed() == (["in.png"], loras, True)
    await _send(session, "models", {"loras": ["zz.safetensors"]})
    assert await listed() == (["in.png"], [*loras, "zz.safetensors"], True)
    await session.client.delete("/standin/nodes")
    await _send(session, "models", {}, method="PUT")
    assert await listed() == (["in.png"], [], False)


async def test_packs_can_be_replaced_and_reset(session: StandinSession) -> None:
    await _send(session, "nodes", {"Greeter": GREETER})
    assert (await _send(session, "nodes", {"Other": GREETER}, method="PUT")).keys() == {"Other"}
    assert await _get(session, "/object_info/Greeter") == {}
    assert (await session.client.delete("/standin/nodes")).json() == {}
    assert (await _get(session, "/object_info/KSampler")).keys() == {"KSampler"}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "Nodes must be an object."),
        ({"X": 5}, "Node X: it must be an object."),
        ({"X": {"input": {}}}, "Node X: `output` must be a list of types."),
        ({"X": {"output": []}}, "Node X: `input` must be an object."),
        ({"X": {"output": [], "input": {"required": []}}}, "Node X: `input.required` must be an object."),
        ({"X": {"output": [], "input": {"required": {"a": "INT"}}}}, "Node X: input a must be a list of a type"),
        ({"X": {"output": [], "input": {"optional": {"a": ["INT", 5]}}}}, "Node X: input a must be a list of a type"),
    ],
)
async def test_nodes_that_no_server_answers_are_refused(session: StandinSession, document: Any, words: str) -> None:
    answer = await session.client.post("/standin/nodes", json=document)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(words)


async def test_a_pack_of_the_start_comes_back_after_a_reset() -> None:
    options = StandinOptions(object_info=({"Greeter": GREETER},))
    async with standin_session(options=options) as session:
        await _send(session, "nodes", {}, method="PUT")
        assert (await session.client.delete("/standin/nodes")).json() == {"Greeter": GREETER}


@pytest.mark.parametrize(("whitelist", "there"), [(frozenset(), False), (frozenset({"ComfyUI-Greeter"}), True)])
async def test_packs_may_be_left_out(whitelist: frozenset[str], there: bool) -> None:
    options = StandinOptions(packs=NodePackOptions(custom_nodes=False, whitelist=whitelist))
    async with standin_session(options=options) as session:
        await _send(session, "nodes", {"Greeter": GREETER})
        assert ("Greeter" in await _get(session, "/object_info")) is there


async def test_the_system_is_what_was_sent(session: StandinSession) -> None:
    before = await _get(session, "/system_stats")
    devices = [{"name": "cuda:0 NVIDIA H100", "type": "cuda", "index": 0, "vram_total": 1, "vram_free": 1}]
    await _send(session, "system", {"system": {"comfyui_version": "0.4.0", "deploy_environment": "local"}})
    await _send(session, "system", {"devices": devices})
    stats = await _get(session, "/system_stats")
    assert stats["system"] == {**before["system"], "comfyui_version": "0.4.0", "deploy_environment": "local"}
    assert stats["devices"] == devices
    await _send(session, "system", {"system": {"os": "nt"}}, method="PUT")
    assert await _get(session, "/system_stats") == {**before, "system": {**before["system"], "os": "nt"}}
    await session.client.delete("/standin/system")
    assert await _get(session, "/system_stats") == before


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "The body must be an object with system, devices or both."),
        ({"version": "1"}, "The body must be an object with system, devices or both."),
        ({"system": 5}, "system must be an object."),
        ({"system": {"comfyui_version": 4}}, "system.comfyui_version must be like '0.3.64'; found 4."),
        ({"devices": {}}, "devices must be a list of objects."),
    ],
)
async def test_a_system_that_no_server_has_is_refused(session: StandinSession, document: Any, words: str) -> None:
    for method in ("POST", "PUT"):
        answer = await session.client.request(method, "/standin/system", json=document)
        assert answer.json()["error"].startswith(words)
    assert (await _get(session, "/system_stats"))["system"]["comfyui_version"] == "0.3.64"


def _touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


async def test_a_base_directory_has_all_model_files_that_there_are(tmp_path: Path) -> None:
    models = tmp_path / "models"
    _touch(models / "checkpoints" / PUBLIC[0], models / "checkpoints" / "put_checkpoints_here")
    _touch(
        models / "loras/sub/deep.SAFETENSORS", models / "clip/c.bin", models / "unet/u.sft", models / "loras/.git/x.pt"
    )
    options = StandinOptions(directories=Directories(base=tmp_path))
    async with standin_session(models={}, options=options) as session:
        assert await _get(session, "/models/checkpoints") == [PUBLIC[0]]
        assert await _get(session, "/models/loras") == ["sub/deep.SAFETENSORS"]
        assert await _get(session, "/models/text_encoders") == ["c.bin"]
        assert await _get(session, "/models/diffusion_models") == ["u.sft"]
        assert (await _get(session, "/internal/folder_paths"))["loras"][0] == str(models / "loras")
        assert last_message(await session.run(text_to_image(checkpoint=PUBLIC[0])))[0] == "execution_success"
        _touch(models / "checkpoints/new.ckpt")
        assert await _get(session, "/models/checkpoints") == ["new.ckpt", PUBLIC[0]]


async def test_extra_paths_are_added(tmp_path: Path) -> None:
    _touch(tmp_path / "a/x.pt", tmp_path / "b/y.pt", tmp_path / "c/z.any")
    extra = (
        ExtraFolder(folder="loras", path=tmp_path / "a"),
        ExtraFolder(folder="loras", path=tmp_path / "b", is_default=True),
        ExtraFolder(folder="ipadapter", path=tmp_path / "c"),
    )
    async with standin_session(options=StandinOptions(directories=Directories(extra_models=extra))) as session:
        assert await _get(session, "/models/loras") == ["style.safetensors", "x.pt", "y.pt"]
        assert await _get(session, "/models/ipadapter") == ["z.any"]
        paths = (await _get(session, "/internal/folder_paths"))["loras"]
        assert (paths[0], paths[-1]) == (str(tmp_path / "b"), str(tmp_path / "a"))
        described = await _get(session, "/experiment/models/loras")
        assert {file["name"]: file["pathIndex"] for file in described if file["name"] != "style.safetensors"} == {
            "x.pt": len(paths) - 1,
            "y.pt": 0,
        }


@pytest.mark.parametrize(
    ("content", "query", "expected"),
    [
        ({"__metadata__": {"ss_tag": "1"}}, "filename=x.safetensors", {"ss_tag": "1"}),
        ({"weight": {}}, "filename=x.safetensors", 404),
        (None, "filename=x.safetensors", 500),
        ({"__metadata__": {}}, "filename=nope.safetensors", 404),
        ({"__metadata__": {}}, "filename=x.pt", 404),
        ({"__metadata__": {}}, "", 404),
        ({"__metadata__": {}}, "filename=../loras/x.safetensors", 404),
    ],
)
async def test_metadata_are_those_of_the_file(tmp_path: Path, content: Any, query: str, expected: Any) -> None:
    path = tmp_path / "models/loras/x.safetensors"
    _touch(path, tmp_path / "models/loras/x.pt")
    if content is not None:
        header = json.dumps(content).encode()
        path.write_bytes(len(header).to_bytes(8, "little") + header)
    options = StandinOptions(directories=Directories(base=tmp_path))
    async with standin_session(models={}, options=options) as session:
        answer = await session.client.get(f"/view_metadata/loras?{query}")
    assert (answer.json() if answer.status_code == 200 else answer.status_code) == expected
