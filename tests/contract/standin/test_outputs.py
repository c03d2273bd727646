"""ComfyUI's output nodes on the stand-in: their entries in history, and files that can be opened."""

import io
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from civitai_mock.comfyui_standin.state.files import FilePlace
from civitai_mock.generation.safetensors import tensor_shapes
from tests.support.comfy_graphs import Graph, node
from tests.support.dates import START
from tests.support.pixel_graphs import BASE, FILES, decoded, gradient, sampler
from tests.support.standin_session import StandinSession, last_message, standin_session

SOURCE_NODES: Graph = {
    **BASE,
    "vae": node("VAEEncode", pixels=["tall", 0], vae=["model", 2]),
    "sampled": sampler("vae", denoise=0.6),
    "decoded": decoded("sampled"),
    "five": node("EmptyImage", width=64, height=32, batch_size=1, color=0xFF0000),
    "frames": node("ImageBatch", image1=["moving", 0], image2=["wide", 0]),
    "movie": node("CreateVideo", images=["frames", 0], fps=10.0),
    "silence": node("EmptyAudio", duration=1.5, sample_rate=44100, channels=2),
    "talkie": node("CreateVideo", images=["frames", 0], fps=10.0, audio=["silence", 0]),
    "song": node("EmptyLatentAudio", seconds=2.0, batch_size=1),
    "composed": sampler("song"),
    "music": node("VAEDecodeAudio", samples=["composed", 0], vae=["model", 2]),
    "mask": node("ImageToMask", image=["decoded", 0], channel="red"),
    "words": node("StringConcatenate", string_a="a fox", string_b="in snow", delimiter=" "),
    "size": node("GetImageSize", image=["tall", 0]),
    "empty_mesh": node("EmptyLatentHunyuan3Dv2", resolution=1024, batch_size=1),
    "voxels": node(
        "VAEDecodeHunyuan3D",
        samples=["empty_mesh", 0],
        vae=["model", 2],
        num_chunks=8000,
        octree_resolution=256,
    ),
    "mesh": node("VoxelToMeshBasic", voxel=["voxels", 0], threshold=0.6),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Describes a node's files in history; `name` and `folder` are those of the first one."""

    graph: Graph
    key: str
    name: str
    folder: str = "output"
    more: Mapping[str, Any]
    count: int = 1


def animation(class_type: str, **inputs: Any) -> Graph:
    return node(class_type, images=["frames", 0], filename_prefix="a/x", fps=8.0, **inputs)


def saved(class_type: str, name: str, source: str, **inputs: Any) -> Graph:
    return node(class_type, **{name: [source, 0]}, filename_prefix="a/x", **inputs)


NONE: Mapping[str, Any] = {}
ANIMATED = {"animated": [True]}
WEBP = {"lossless": True, "quality": 80, "method": "default"}

OUTPUTS: Mapping[str, Output] = {
    "SaveImage": Output(
        graph=saved("SaveImage", "images", "frames"), key="images", name="x_00001_.png", more=NONE, count=4
    ),
    "SaveAnimatedWEBP": Output(
        graph=animation("SaveAnimatedWEBP", **WEBP), key="images", name="x_00001_.webp", more=ANIMATED
    ),
    "SaveAnimatedWEBP of one": Output(
        graph=saved("SaveAnimatedWEBP", "images", "tall", fps=6.0, **WEBP),
        key="images",
        name="x_00001_.webp",
        more={"animated": [False]},
    ),
    "SaveAnimatedPNG": Output(
        graph=animation("SaveAnimatedPNG", compress_level=4), key="images", name="x_00001_.png", more=ANIMATED
    ),
    "SaveWEBM": Output(
        graph=animation("SaveWEBM", codec="vp9", crf=32.0), key="images", name="x_00001_.webm", more=ANIMATED
    ),
    "SaveWEBM with AV1": Output(
        graph=animation("SaveWEBM", codec="av1", crf=32.0), key="images", name="x_00001_.webm", more=ANIMATED
    ),
    "SaveVideo": Output(
        graph=saved("SaveVideo", "video", "movie", format="auto", codec="auto"),
        key="images",
        name="x_00001_.mp4",
        more=ANIMATED,
    ),
    "SaveVideo with sound": Output(
        graph=saved("SaveVideo", "video", "talkie", format="mp4", codec="h264"),
        key="images",
        name="x_00001_.mp4",
        more=ANIMATED,
    ),
    "SaveLatent": Output(
        graph=saved("SaveLatent", "samples", "sampled"), key="latents", name="x_00001_.latent", more=NONE
    ),
    "SaveAudio": Output(graph=saved("SaveAudio", "audio", "music"), key="audio", name="x_00001_.flac", more=NONE),
    "SaveAudioMP3": Output(
        graph=saved("SaveAudioMP3", "audio", "music", quality="128k"), key="audio", name="x_00001_.mp3", more=NONE
    ),
    "SaveAudioOpus": Output(
        graph=saved("SaveAudioOpus", "audio", "silence", quality="64k"), key="audio", name="x_00001_.opus", more=NONE
    ),
    "SaveGLB": Output(graph=saved("SaveGLB", "mesh", "mesh"), key="3d", name="x_00001_.glb", more=NONE),
}
PREVIEWS: Mapping[str, Output] = {
    "PreviewImage": Output(
        graph=node("PreviewImage", images=["decoded", 0]), key="images", name="_00001_.png", folder="temp", more=NONE
    ),
    "MaskPreview": Output(
        graph=node("MaskPreview", mask=["mask", 0]), key="images", name="_00001_.png", folder="temp", more=NONE
    ),
    "PreviewAudio": Output(
        graph=node("PreviewAudio", audio=["silence", 0]), key="audio", name="_00001_.flac", folder="temp", more=NONE
    ),
}


@pytest.fixture
async def session() -> AsyncIterator[StandinSession]:
    async with standin_session() as opened:
        for name, content in FILES.items():
            opened.server.state.files.put(FilePlace("input", "", name), content, now=START)
        yield opened


async def shown(session: StandinSession, graph: Graph) -> Any:
    """Return what history shows of the node `x`."""
    entry = await session.run({**SOURCE_NODES, "x": graph})
    assert last_message(entry)[0] == "execution_success", last_message(entry)
    return entry["outputs"].get("x")


async def content_of(session: StandinSession, file: Mapping[str, str]) -> bytes:
    answer = await session.client.get("/view", params=file)
    assert answer.status_code == 200
    return answer.content


@pytest.mark.parametrize("name", [*OUTPUTS, *PREVIEWS])
async def test_history_lists_the_files(session: StandinSession, name: str) -> None:
    output = {**OUTPUTS, **PREVIEWS}[name]
    entry = await shown(session, output.graph)
    files = entry.pop(output.key)
    assert entry == output.more
    assert len(files) == output.count
    assert {(file["subfolder"], file["type"]) for file in files} == {
        ("" if output.folder == "temp" else "a", output.folder)
    }
    assert files[0]["filename"].endswith(output.name)
    heard = [message for message in session.listener.heard if isinstance(message, dict)]
    assert not [message for message in heard if message["type"] == "execution_error"]
    assert await content_of(session, files[0])


@pytest.mark.parametrize("name", ["SaveAnimatedWEBP", "SaveAnimatedPNG"])
async def test_an_animated_image_has_all_frames_in_time(session: StandinSession, name: str) -> None:
    entry = await shown(session, OUTPUTS[name].graph)
    with Image.open(io.BytesIO(await content_of(session, entry["images"][0]))) as image:
        assert (image.size, getattr(image, "n_frames", 1)) == ((100, 60), 4)
        image.seek(1)
        image.load()
        assert image.info["duration"] == 125
        assert image.convert("RGB").getpixel((5, 5)) == (60, 0, 0)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("SaveWEBM", "vp9", 8),
        ("SaveWEBM with AV1", "av1", 8),
        ("SaveVideo", "h264", 10),
        ("SaveVideo with sound", "h264", 10),
    ],
)
async def test_a_video_plays(session: StandinSession, name: str, codec: str, rate: int) -> None:
    entry = await shown(session, OUTPUTS[name].graph)
    with av.open(io.BytesIO(await content_of(session, entry["images"][0])), "r") as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, float(stream.average_rate or 0)) == (100, 60, rate)
        assert codec in stream.codec_context.codec.canonical_name
        assert len(list(container.decode(stream))) == 4
        assert [each.codec_context.name for each in container.streams.audio] == (["aac"] if "sound" in name else [])
        texts = {keyword.lower(): words for keyword, words in container.metadata.items()}
        assert "VAEEncode" in texts["prompt"]


async def test_a_video_is_loaded_with_all_its_images(session: StandinSession) -> None:
    entry = await shown(session, OUTPUTS["SaveVideo"].graph)
    content = await content_of(session, entry["images"][0])
    session.server.state.files.put(FilePlace("input", "", "kept.mp4"), content, now=START)
    graph = {"loaded": node("LoadVideo", file="kept.mp4"), "parts": node("GetVideoComponents", video=["loaded", 0])}
    saved_again = {"y": saved("SaveVideo", "video", "loaded", format="auto", codec="auto")}
    entry = await session.run({**SOURCE_NODES, **graph, **saved_again, "x": saved("SaveImage", "images", "parts")})
    images = entry["outputs"]["x"]["images"]
    assert len(images) == 4
    with Image.open(io.BytesIO(await content_of(session, images[2]))) as image:
        red, green, blue = np.asarray(image)[30, 50]
        assert (image.size, abs(int(red) - 120) < 12, green < 12, blue < 12) == ((100, 60), True, True, True)
    assert await content_of(session, entry["outputs"]["y"]["images"][0]) == content


@pytest.mark.parametrize(
    ("name", "codec", "rate", "seconds"),
    [("SaveAudio", "flac", 44100, 2.0), ("SaveAudioMP3", "mp3", 44100, 2.0), ("SaveAudioOpus", "opus", 48000, 1.5)],
)
async def test_sound_has_its_length(session: StandinSession, name: str, codec: str, rate: int, seconds: float) -> None:
    entry = await shown(session, OUTPUTS[name].graph)
    with av.open(io.BytesIO(await content_of(session, entry["audio"][0])), "r") as container:
        stream = container.streams.audio[0]
        assert codec in stream.codec_context.name
        assert stream.rate == rate
        assert sum(frame.samples for frame in container.decode(stream)) / rate == pytest.approx(seconds, abs=0.1)


async def test_a_latent_has_the_shape_of_what_was_encoded(session: StandinSession) -> None:
    entry = await shown(session, OUTPUTS["SaveLatent"].graph)
    content = await content_of(session, entry["latents"][0])
    assert tensor_shapes(content)["latent_tensor"] == [1, 4, 40, 24]
    session.server.state.files.put(FilePlace("input", "", "kept.latent"), content, now=START)
    graph = {"loaded": node("LoadLatent", latent="kept.latent"), "decoded": decoded("loaded")}
    entry = await session.run({**SOURCE_NODES, **graph, "x": saved("SaveImage", "images", "decoded")})
    with Image.open(io.BytesIO(await content_of(session, entry["outputs"]["x"]["images"][0]))) as image:
        assert image.size == (192, 320)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (["words", 0], "a fox in snow"),
        (["size", 0], "192"),
        (["size", 2], "1"),
        ("written", "written"),
        (0.5, "0.5"),
        (True, "True"),
        ({"a": [1]}, '{"a": [1]}'),
        (None, "None"),
        (["tall", 0], "tensor([...], size=(1, 320, 192, 3))"),
        (["sampled", 0], "{'samples': tensor([...], size=(1, 4, 40, 24))}"),
    ],
    ids=str,
)
async def test_anything_is_shown_as_text(session: StandinSession, source: Any, text: str) -> None:
    assert await shown(session, node("PreviewAny", source=source)) == {"text": [text]}


@pytest.mark.parametrize(
    ("class_type", "inputs", "path"),
    [
        ("CheckpointSave", {"model": ["model", 0], "clip": ["model", 1], "vae": ["model", 2]}, "x_00001_.safetensors"),
        ("ModelSave", {"model": ["model", 0]}, "x_00001_.safetensors"),
        ("CLIPSave", {"clip": ["model", 1]}, "x_00001_.safetensors"),
        ("VAESave", {"vae": ["model", 2]}, "x_00001_.safetensors"),
        ("LoraSave", {"rank": 8, "lora_type": "standard", "bias_diff": True}, "x_00001_.safetensors"),
    ],
)
async def test_models_are_saved_without_an_entry_in_history(
    session: StandinSession, class_type: str, inputs: Any, path: str
) -> None:
    assert await shown(session, node(class_type, filename_prefix="models/x", **inputs)) is None
    content = await content_of(session, {"filename": path, "subfolder": "models", "type": "output"})
    assert tensor_shapes(content)


async def test_a_model_in_3d_is_only_shown(session: StandinSession) -> None:
    assert await shown(session, node("Preview3D", model_file="3d/x.glb")) == {"result": ["3d/x.glb", None]}


async def test_names_go_on_counting_by_the_kind_of_file(session: StandinSession) -> None:
    names = [
        (await shown(session, saved("SaveLatent", "samples", "sampled", note=note)))["latents"][0]["filename"]
        for note in range(2)
    ]
    assert names == ["x_00001_.latent", "x_00002_.latent"]


async def test_a_name_may_come_from_another_node(session: StandinSession) -> None:
    entry = await shown(session, node("SaveImage", images=["wide", 0], filename_prefix=["words", 0]))
    assert entry["images"][0]["filename"] == "a fox in snow_00001_.png"


async def test_a_copied_image_keeps_its_pixels(session: StandinSession) -> None:
    entry = await shown(session, saved("SaveImage", "images", "tall"))
    with Image.open(io.BytesIO(await content_of(session, entry["images"][0]))) as image:
        assert image.tobytes() == gradient().tobytes()
        assert "LoadImage" in image.info["prompt"]


@pytest.mark.parametrize("folder", ["output", "temp"])
async def test_an_image_is_loaded_from_another_folder(session: StandinSession, folder: str) -> None:
    session.server.state.files.put(FilePlace(folder, "sub", "b.png"), FILES["wide.png"], now=START)
    session.server.state.files.put(FilePlace("input", "", "b.png"), FILES["tall.png"], now=START)
    graph = {**SOURCE_NODES, "other": node("LoadImage", image=f"sub/b.png [{folder}]")}
    entry = await session.run({**graph, "x": saved("SaveImage", "images", "other")})
    with Image.open(io.BytesIO(await content_of(session, entry["outputs"]["x"]["images"][0]))) as image:
        assert image.size == (100, 60)


async def test_a_file_that_changed_is_read_again(session: StandinSession) -> None:
    graph = saved("SaveImage", "images", "tall")
    first = (await shown(session, graph))["images"][0]
    session.server.state.files.put(FilePlace("input", "", "tall.png"), FILES["wide.png"], now=START)
    second = (await shown(session, graph))["images"][0]
    sizes = []
    for file in (first, second):
        with Image.open(io.BytesIO(await content_of(session, file))) as image:
            sizes.append(image.size)
    assert sizes == [(192, 320), (100, 60)]


async def test_what_does_not_fit_into_memory_fails_where_it_is_made(session: StandinSession) -> None:
    large = node("ImageScale", image=["tall", 0], upscale_method="area", width=16384, height=16384, crop="disabled")
    graph = {**SOURCE_NODES, "large": large, "x": saved("SaveImage", "images", "large")}
    kind, fields = last_message(await session.run(graph))
    assert (kind, fields["node_id"]) == ("execution_error", "large")
    assert fields["exception_type"] == "torch.OutOfMemoryError"
