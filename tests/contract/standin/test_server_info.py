"""What the stand-in reports about itself, and its answers to other paths, methods and origins."""

from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.standin import MODELS
from tests.support.standin_session import StandinSession, standin_session


@pytest.fixture
async def session() -> AsyncIterator[StandinSession]:
    async with standin_session(models={**MODELS, "embeddings": ["sub/deep.pt", "easy.safetensors"]}) as opened:
        yield opened


async def test_the_version_is_the_recorded_one(session: StandinSession) -> None:
    stats = (await session.client.get("/system_stats")).json()
    assert stats["system"]["comfyui_version"] == "0.3.64"
    assert stats["devices"][0].keys() >= {"name", "type", "vram_total", "vram_free"}


async def test_node_definitions_spell_lists_in_both_ways(session: StandinSession) -> None:
    nodes = (await session.client.get("/object_info")).json()
    assert nodes["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0] == sorted(MODELS["checkpoints"])
    assert nodes["UpscaleModelLoader"]["input"]["required"]["model_name"] == ["COMBO", {"options": []}]
    assert nodes["VAELoader"]["input"]["required"]["vae_name"][0] == ["ae.safetensors", "pixel_space"]
    assert nodes["KSampler"]["output"] == ["LATENT"]
    assert nodes["SaveImage"]["output_node"] is True
    assert nodes["SaveImage"]["input"]["hidden"] == {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"}


async def test_one_definition_is_the_same_as_among_all(session: StandinSession) -> None:
    nodes = (await session.client.get("/object_info")).json()
    assert (await session.client.get("/object_info/KSampler")).json() == {"KSampler": nodes["KSampler"]}
    assert (await session.client.get("/object_info/NoSuchNode")).json() == {}


@pytest.mark.parametrize(
    ("path", "status", "answer"),
    [
        ("/models/loras", 200, ["style.safetensors"]),
        ("/models/upscale_models", 200, []),
        ("/models/clip", 404, None),
        ("/models/unet", 404, None),
        ("/embeddings", 200, ["easy", "sub/deep"]),
        ("/view_metadata/loras?filename=style.safetensors", 404, None),
    ],
)
async def test_models_are_listed_by_folder(session: StandinSession, path: str, status: int, answer: object) -> None:
    found = await session.client.get(path)
    assert (found.status_code, found.json() if status == 200 else None) == (status, answer)


async def test_folders_are_listed_by_their_new_names(session: StandinSession) -> None:
    folders = (await session.client.get("/models")).json()
    assert {"checkpoints", "text_encoders", "diffusion_models"} <= set(folders)
    assert not {"clip", "unet"} & set(folders)


async def test_features_report_the_upload_limit(session: StandinSession) -> None:
    features = (await session.client.get("/features")).json()
    assert features == {"supports_preview_metadata": True, "max_upload_size": 104857600}


@pytest.mark.parametrize("prefix", ["", "/api"])
@pytest.mark.parametrize(
    ("method", "path", "status", "allowed", "text"),
    [
        ("GET", "/interrupt", 404, None, ""),
        ("GET", "/nope", 404, None, ""),
        ("PUT", "/prompt", 405, "GET,HEAD,POST", "405: Method Not Allowed"),
        ("DELETE", "/queue", 405, "GET,HEAD,POST", "405: Method Not Allowed"),
        ("POST", "/nope", 405, "GET,HEAD", "405: Method Not Allowed"),
        ("OPTIONS", "/prompt", 200, None, ""),
    ],
)
async def test_other_methods_and_paths_are_answered_as_by_comfyui(
    session: StandinSession, prefix: str, method: str, path: str, status: int, allowed: str | None, text: str
) -> None:
    answer = await session.client.request(method, prefix + path)
    assert (answer.status_code, answer.headers.get("allow"), answer.text) == (status, allowed, text)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://example.com", 403),
        ("http://127.0.0.1:{port}", 200),
        ("http://localhost:{port}", 403),
        ("http://127.0.0.1", 200),
        ("http://127.0.0.1:3000", 403),
    ],
)
async def test_a_web_page_from_elsewhere_is_kept_out(session: StandinSession, origin: str, status: int) -> None:
    headers = {"origin": origin.format(port=session.running.port)}
    assert (await session.client.get("/queue", headers=headers)).status_code == status


async def test_a_web_page_from_elsewhere_gets_no_socket(session: StandinSession) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(session.running.socket_url, origin="http://example.com")  # type: ignore[arg-type]
    assert refused.value.response.status_code == 403


async def test_a_host_of_its_own_name_may_be_asked_from_anywhere(session: StandinSession) -> None:
    headers = {"origin": "http://example.com", "host": "comfy.example"}
    assert (await session.client.get("/queue", headers=headers)).status_code == 200
