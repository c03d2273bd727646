"""Input, output and temp folders on disk, shared with other programs."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from civitai_mock.comfyui_standin.state.disk_files import DiskFileStore
from civitai_mock.comfyui_standin.state.files import FilePlace
from civitai_mock.comfyui_standin.state.models import read_extra_paths
from tests.support.dates import START
from tests.support.standin import plain_png
from tests.support.standin_session import (
    StandinSession,
    command_line_options,
    last_message,
    standin_session,
    text_to_image,
    with_node,
)


async def _load(session: StandinSession, name: str) -> Any:
    graph = with_node(text_to_image(), "5", "VAEEncode", pixels=["30", 0], vae=["4", 2])
    return await session.post(with_node(graph, "30", "LoadImage", image=name))


async def test_images_are_saved_where_others_find_them(tmp_path: Path) -> None:
    (tmp_path / "out/sub").mkdir(parents=True)
    (tmp_path / "out/sub/fox_00041_.png").write_bytes(b"")
    async with standin_session(options=command_line_options("--output-directory", tmp_path / "out")) as session:
        entry = await session.run(text_to_image(prefix="sub/fox"))
        (image,) = entry["outputs"]["9"]["images"]
        viewed = await session.client.get("/view", params=image)
    assert image == {"filename": "fox_00042_.png", "subfolder": "sub", "type": "output"}
    assert (tmp_path / "out/sub/fox_00042_.png").read_bytes() == viewed.content != b""


async def test_images_that_others_put_there_are_listed_and_loaded(tmp_path: Path) -> None:
    (tmp_path / "in/sub").mkdir(parents=True)
    (tmp_path / "in/mine.png").write_bytes(plain_png())
    (tmp_path / "secret.png").write_bytes(plain_png())
    async with standin_session(options=command_line_options("--input-directory", tmp_path / "in")) as session:
        listed = (await session.client.get("/object_info/LoadImage")).json()
        assert listed["LoadImage"]["input"]["required"]["image"][0] == ["mine.png"]
        assert (await session.client.get("/internal/files/input")).json() == ["mine.png"]
        assert (await _load(session, "mine.png")).status_code == 200
        assert (await _load(session, "../secret.png")).status_code == 400
        uploaded = await session.client.post("/upload/image", files={"image": ("new.png", plain_png())})
    assert uploaded.json()["name"] == "new.png"
    assert (tmp_path / "in/new.png").read_bytes() == plain_png()


async def test_a_base_directory_has_all_the_folders(tmp_path: Path) -> None:
    (tmp_path / "temp").mkdir()
    (tmp_path / "temp/old.png").write_bytes(b"x")
    checkpoint = tmp_path / "models/checkpoints/sd15.safetensors"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    async with standin_session(models={}, options=command_line_options("--base-directory", tmp_path)) as session:
        graph = text_to_image() | {"9": {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}}}
        assert last_message(await session.run(graph))[0] == "execution_success"
    assert [path.name.startswith("ComfyUI_temp_") for path in (tmp_path / "temp").iterdir()] == [True]
    assert (tmp_path / "input").is_dir()


async def test_an_upload_that_the_disk_does_not_take_is_a_server_error(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/file").write_bytes(b"")
    async with standin_session(options=command_line_options("--input-directory", tmp_path / "in")) as session:
        files, data = {"image": ("x.png", b"x")}, {"subfolder": "file"}
        assert (await session.client.post("/upload/image", files=files, data=data)).status_code == 500


@pytest.mark.parametrize("on_disk", [True, False])
@pytest.mark.parametrize(
    "place",
    [
        FilePlace("input", "", "n" * 256),
        FilePlace("input", "", "é" * 128),
        FilePlace("input", "n" * 256, "x"),
        FilePlace("input", "", "a\0b"),
    ],
    ids=repr,
)
def test_a_name_that_no_disk_takes_is_refused_and_never_found(tmp_path: Path, place: FilePlace, on_disk: bool) -> None:
    files = DiskFileStore(max_bytes=1000, directories={"input": tmp_path} if on_disk else {})
    with pytest.raises((OSError, ValueError)):
        files.put(place, b"x", now=START)
    assert (files.get(place), files.names("input")) == (None, [])


@pytest.mark.parametrize("before", [None, b"kept"])
def test_a_file_that_could_not_be_written_whole_does_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes | None
) -> None:
    """An earlier file of that name is not deleted."""
    files, place = DiskFileStore(max_bytes=1000, directories={"output": tmp_path}), FilePlace("output", "", "x.png")
    if before is not None:
        files.put(place, before, now=START)

    def write_half(path: Path, content: bytes) -> int:
        path.open("ab").close()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", write_half)
    with pytest.raises(OSError, match="No space left on device"):
        files.put(place, b"content", now=START)
    found = files.get(place)
    assert (found and found.content) == before


@pytest.mark.parametrize("on_disk", [True, False])
def test_files_are_kept_alike_in_memory_and_on_disk(tmp_path: Path, on_disk: bool) -> None:
    files = DiskFileStore(max_bytes=1000, directories={"input": tmp_path} if on_disk else {})
    for name, subfolder in (("a.png", ""), ("b.png", "sub"), ("c.png", "")):
        files.put(FilePlace("input", subfolder, name), name.encode(), now=START)
    files.delete(FilePlace("input", "", "c.png"))
    found = files.get(FilePlace("input", "sub", "b.png"))
    assert found is not None
    assert found.content == b"b.png"
    assert (files.names("input"), files.names("input", "sub"), files.newest("input")) == (
        ["a.png"],
        ["b.png"],
        ["a.png"],
    )
    assert files.subfolders("input") == ["sub"]
    assert files.find("sub/b.png") is not None
    files.clear("input")
    assert files.names("input") == files.names("input", "sub") == files.names("output") == []


def test_nothing_is_written_beside_the_folder(tmp_path: Path) -> None:
    files = DiskFileStore(max_bytes=1000, directories={"input": tmp_path / "in"})
    with pytest.raises(PermissionError):
        files.put(FilePlace("input", "..", "x.png"), b"x", now=START)
    files.delete(FilePlace("input", "..", "x.png"))
    assert files.get(FilePlace("input", "..", "x.png")) is None


def test_extra_paths_are_read_as_comfyui_reads_them(tmp_path: Path) -> None:
    config = tmp_path / "extra_model_paths.yaml"
    config.write_text(
        """
a111:
    base_path: webui/
    is_default: true
    checkpoints: models/Stable-diffusion
    loras: |
        models/Lora
        models/LyCORIS
empty:
bare:
    vae: ../vae
    clip: /abs/clip
"""
    )
    found = [(each.folder, str(each.path), each.is_default) for each in read_extra_paths(config)]
    assert found == [
        ("checkpoints", str(tmp_path / "webui/models/Stable-diffusion"), True),
        ("loras", str(tmp_path / "webui/models/Lora"), True),
        ("loras", str(tmp_path / "webui/models/LyCORIS"), True),
        ("vae", str(tmp_path.parent / "vae"), False),
        ("clip", "/abs/clip", False),
    ]
