"""Uploads and views on the stand-in, as recorded."""

import io
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image

from civitai_mock.clock import VirtualClock
from civitai_mock.comfyui_standin.state.files import FilePlace
from tests.support.dates import START
from tests.support.standin import plain_png
from tests.support.standin_session import StandinSession, standin_session

ONE, OTHER = plain_png(tone=1), plain_png(tone=2)
SAVED = FilePlace("output", "", "ComfyUI_00116_.png")


@pytest.fixture
async def session() -> AsyncIterator[StandinSession]:
    async with standin_session(clock=VirtualClock(START)) as opened:
        for place, content in {SAVED: ONE, FilePlace("output", "hires", SAVED.name): OTHER}.items():
            opened.server.state.files.put(place, content, now=START)
        yield opened


async def _upload(session: StandinSession, name: str, content: bytes, **fields: str) -> Any:
    answer = await session.client.post("/upload/image", files={"image": (name, content, "image/png")}, data=fields)
    return answer.json() if answer.status_code == 200 else answer.status_code


async def test_a_name_that_is_taken_by_other_bytes_gets_a_number(session: StandinSession) -> None:
    first = {"name": "in.png", "subfolder": "", "type": "input"}
    assert await _upload(session, "in.png", ONE) == first
    assert await _upload(session, "in.png", ONE) == first
    for _ in range(2):
        assert await _upload(session, "in.png", OTHER) == {**first, "name": "in (1).png"}


@pytest.mark.parametrize(("overwrite", "name"), [("true", "in.png"), ("1", "in.png"), ("True", "in (1).png")])
async def test_overwriting_is_spelled_in_two_ways_only(session: StandinSession, overwrite: str, name: str) -> None:
    await _upload(session, "in.png", ONE)
    assert (await _upload(session, "in.png", OTHER, overwrite=overwrite))["name"] == name
    content = (await session.client.get("/view", params={"filename": name, "type": "input"})).content
    assert content == OTHER


@pytest.mark.parametrize(
    ("fields", "stored"),
    [
        ({"subfolder": "job1/a"}, {"name": "x.png", "subfolder": "job1/a", "type": "input"}),
        ({"type": "temp"}, {"name": "x.png", "subfolder": "", "type": "temp"}),
        ({"type": "output"}, {"name": "x.png", "subfolder": "", "type": "output"}),
        ({"type": "bogus"}, 500),
        ({"subfolder": "../../evil"}, 400),
    ],
    ids=str,
)
async def test_an_upload_is_answered_with_its_place(
    session: StandinSession, fields: Mapping[str, str], stored: Any
) -> None:
    assert await _upload(session, "x.png", ONE, **fields) == stored


async def test_a_name_that_climbs_is_refused(session: StandinSession) -> None:
    assert await _upload(session, "../x.png", ONE) == 400


async def test_an_uploaded_file_need_not_be_an_image(session: StandinSession) -> None:
    assert (await _upload(session, "not_image.png", b"hello"))["name"] == "not_image.png"


@pytest.mark.parametrize(
    ("files", "status"),
    [({"file": ("x.png", ONE)}, 400), ({"image": ("", ONE)}, 500)],
    ids=["another field", "no name"],
)
async def test_an_upload_without_an_image_is_refused(session: StandinSession, files: Any, status: int) -> None:
    assert (await session.client.post("/upload/image", files=files)).status_code == status


@pytest.mark.parametrize("path", ["/upload/image", "/upload/mask"])
async def test_a_malformed_form_is_a_server_error(session: StandinSession, path: str) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert (await session.client.post(path, content=b"garbage", headers=headers)).status_code == 500


async def _upload_mask(session: StandinSession, name: str, reference: str) -> Any:
    mask = io.BytesIO()
    Image.new("RGBA", (64, 64), (0, 0, 0, 7)).save(mask, "PNG")
    files, data = {"image": (name, mask.getvalue())}, {"original_ref": reference}
    answer = await session.client.post("/upload/mask", files=files, data=data)
    return answer.json() if answer.status_code == 200 else answer.status_code


@pytest.mark.parametrize(
    ("name", "reference", "kind"),
    [
        ("masked.png", '{"filename": "in.png", "type": "input", "subfolder": ""}', "PNG"),
        ("masked.png", '{"filename": "in.png [input]"}', "PNG"),
        ("masked.WEBP", '{"filename": "in.png", "type": "input"}', "WEBP"),
    ],
)
async def test_a_mask_becomes_the_transparency_of_the_original(
    session: StandinSession, name: str, reference: str, kind: str
) -> None:
    await _upload(session, "in.png", ONE)
    assert await _upload_mask(session, name, reference) == {"name": name, "subfolder": "", "type": "input"}
    content = (await session.client.get("/view", params={"filename": name, "type": "input"})).content
    with Image.open(io.BytesIO(content)) as image:
        pixel = image.getpixel((0, 0))
        assert isinstance(pixel, tuple)
        assert (image.format, pixel[3]) == (kind, 7)


@pytest.mark.parametrize("name", ["masked.jpg", "masked", "masked.weird"])
async def test_a_mask_is_saved_only_in_a_format_with_transparency(session: StandinSession, name: str) -> None:
    await _upload(session, "in.png", ONE)
    assert await _upload_mask(session, name, '{"filename": "in.png", "type": "input"}') == 500


@pytest.mark.parametrize(
    ("name", "reference", "answer"),
    [
        ("masked.png", '{"filename": "nope.png"}', {"name": "masked.png", "subfolder": "", "type": "input"}),
        ("../masked.png", '{"filename": "in.png"}', 400),
        ("masked.png", "{", 500),
        ("masked.png", "[]", 500),
    ],
)
async def test_a_mask_without_an_original_is_not_kept(
    session: StandinSession, name: str, reference: str, answer: Any
) -> None:
    files, data = {"image": (name, ONE)}, {"original_ref": reference}
    given = await session.client.post("/upload/mask", files=files, data=data)
    assert (given.json() if given.status_code == 200 else given.status_code) == answer
    assert session.server.state.files.names("input") == []


async def test_a_mask_without_a_reference_is_a_server_error(session: StandinSession) -> None:
    answer = await session.client.post("/upload/mask", files={"image": ("masked.png", ONE)})
    assert answer.status_code == 500


REFUSED_VIEWS = [
    ("filename=nope.png", 404),
    ("type=output", 404),
    ("filename=../x.png", 400),
    ("filename=/etc/hostname", 400),
    ("filename=", 400),
    ("filename=x.png&type=bogus", 400),
    ("filename=x.png&subfolder=../../&type=output", 403),
    ("filename=x.png&subfolder=/etc&type=output", 403),
    ("filename=x.png&subfolder=../outputs", 403),
]


@pytest.mark.parametrize(("query", "status"), REFUSED_VIEWS)
async def test_a_refused_view_has_no_body(session: StandinSession, query: str, status: int) -> None:
    answer = await session.client.get(f"/view?{query}")
    assert (answer.status_code, answer.content) == (status, b"")


@pytest.mark.parametrize(
    ("query", "content"),
    [
        (f"filename={SAVED.name}&subfolder=&type=output", ONE),
        (f"filename={SAVED.name}", ONE),
        (f"filename={SAVED.name}%20%5Boutput%5D&type=input", ONE),
        (f"filename=hires/{SAVED.name}&type=output", ONE),
        (f"filename={SAVED.name}&subfolder=hires&type=output", OTHER),
        (f"filename={SAVED.name}&subfolder=hires/../hires/&type=output", OTHER),
    ],
)
async def test_a_view_gives_the_bytes_of_the_file(session: StandinSession, query: str, content: bytes) -> None:
    answer = await session.client.get(f"/view?{query}")
    assert (answer.status_code, answer.content) == (200, content)


async def test_a_view_has_headers_for_name_type_length_and_time(session: StandinSession) -> None:
    for method in ("GET", "HEAD"):
        answer = await session.client.request(method, "/view", params={"filename": SAVED.name})
        assert answer.headers["content-disposition"] == f'filename="{SAVED.name}"'
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["content-length"] == str(len(ONE))
        assert answer.headers["last-modified"] == "Sat, 06 Sep 2025 18:18:16 GMT"
        assert answer.headers["accept-ranges"] == "bytes"
        assert "etag" not in answer.headers


@pytest.mark.parametrize(
    ("requested", "status", "content_range", "content"),
    [
        ("bytes=0-15", 206, f"bytes 0-15/{len(ONE)}", ONE[:16]),
        ("bytes=10-", 206, f"bytes 10-{len(ONE) - 1}/{len(ONE)}", ONE[10:]),
        ("bytes=-5", 206, f"bytes {len(ONE) - 5}-{len(ONE) - 1}/{len(ONE)}", ONE[-5:]),
        ("bytes=0-99999", 206, f"bytes 0-{len(ONE) - 1}/{len(ONE)}", ONE),
        ("bytes=99999-", 416, f"bytes */{len(ONE)}", b""),
        ("bytes=3-1", 416, f"bytes */{len(ONE)}", b""),
        ("bytes=a-b", 416, f"bytes */{len(ONE)}", b""),
        ("bytes=-", 416, f"bytes */{len(ONE)}", b""),
        ("bytes=0-0,2-3", 416, f"bytes */{len(ONE)}", b""),
        ("bytes= 0-3", 416, f"bytes */{len(ONE)}", b""),
        ("lines=0-1", 416, f"bytes */{len(ONE)}", b""),
    ],
)
async def test_a_range_of_a_file_can_be_read(
    session: StandinSession, requested: str, status: int, content_range: str | None, content: bytes
) -> None:
    answer = await session.client.get("/view", params={"filename": SAVED.name}, headers={"range": requested})
    assert (answer.status_code, answer.headers.get("content-range"), answer.content) == (status, content_range, content)


@pytest.mark.parametrize(
    ("query", "media_type", "kind", "mode"),
    [
        ("preview=webp;90", "image/webp", "WEBP", "RGB"),
        ("preview=jpeg", "image/jpeg", "JPEG", "RGB"),
        ("preview=png", "image/webp", "WEBP", "RGB"),
        ("preview=jpeg;50&channel=a", "image/webp", "WEBP", "RGB"),
        ("channel=rgb", "image/png", "PNG", "RGB"),
        ("channel=a", "image/png", "PNG", "RGBA"),
    ],
)
async def test_a_view_may_be_converted_to_another_image(
    session: StandinSession, query: str, media_type: str, kind: str, mode: str
) -> None:
    answer = await session.client.get(f"/view?filename={SAVED.name}&{query}")
    assert answer.headers["content-type"] == media_type
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.format, image.mode, image.size) == (kind, mode, (64, 64))


async def test_a_file_that_is_not_an_image_cannot_be_converted(session: StandinSession) -> None:
    await _upload(session, "hello.png", b"hello")
    answer = await session.client.get("/view?filename=hello.png&type=input&preview=webp")
    assert answer.status_code == 500


async def test_an_uploaded_image_is_in_the_list_of_the_loader(session: StandinSession) -> None:
    await _upload(session, "in.png", ONE)
    info = (await session.client.get("/object_info/LoadImage")).json()
    assert info["LoadImage"]["input"]["required"]["image"] == [["in.png"], {"image_upload": True}]


@pytest.mark.parametrize(
    ("name", "fields", "stored"),
    [
        ("x.png", {"subfolder": "a/../b"}, {"name": "x.png", "subfolder": "a/../b", "type": "input"}),
        ("x.png", {"subfolder": "a/"}, {"name": "x.png", "subfolder": "a/", "type": "input"}),
        ("x.png", {"subfolder": "."}, {"name": "x.png", "subfolder": ".", "type": "input"}),
        ("there/x.png", {}, {"name": "there/x.png", "subfolder": "", "type": "input"}),
        ("there/taken.png", {}, {"name": "there/taken (1).png", "subfolder": "", "type": "input"}),
        ("nowhere/x.png", {}, 500),
        ("/etc/x.png", {}, 500),
        ("there", {}, 500),
        (".", {}, 500),
        ("..", {}, 400),
        ("x.png", {"subfolder": "/abs"}, 400),
        ("x.png", {"type": ""}, 500),
        ("x/", {}, {"name": "x/", "subfolder": "", "type": "input"}),
        ("n" * 252 + ".png", {}, 500),
        ("x.png", {"subfolder": "a\0b"}, 500),
    ],
)
async def test_an_upload_is_answered_with_its_name_as_it_was_sent(
    session: StandinSession, name: str, fields: Mapping[str, str], stored: Any
) -> None:
    await _upload(session, "taken.png", OTHER, subfolder="there")
    assert await _upload(session, name, ONE, **fields) == stored


@pytest.mark.parametrize(
    ("data", "status"), [({"image": "x"}, 500), ({"image": ""}, 400), ({"other": "x"}, 400)], ids=str
)
async def test_a_text_field_is_not_an_upload(session: StandinSession, data: Any, status: int) -> None:
    assert (await session.client.post("/upload/image", data=data)).status_code == status


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("x.html", "application/octet-stream"),
        ("x.css", "application/octet-stream"),
        ("x.js", "application/javascript; charset=utf-8"),
        ("x.svg", "image/svg+xml"),
        ("x.json", "application/json"),
        ("x.weird", "application/octet-stream"),
    ],
)
async def test_a_view_never_shows_a_page(session: StandinSession, name: str, media_type: str) -> None:
    await _upload(session, name, b"data")
    answer = await session.client.get("/view", params={"filename": name, "type": "input"})
    assert answer.headers["content-type"] == media_type


@pytest.mark.parametrize("name", ["ü.png", "日本.png", "a b.png"])
@pytest.mark.parametrize("query", ["", "&preview=webp", "&channel=rgb"])
async def test_a_name_in_any_script_is_sent_in_utf8(session: StandinSession, name: str, query: str) -> None:
    await _upload(session, name, ONE)
    answer = await session.client.get(f"/view?filename={quote(name)}&type=input{query}")
    disposition = next(value for key, value in answer.headers.raw if key == b"content-disposition")
    assert (answer.status_code, disposition.decode()) == (200, f'filename="{name}"')


async def test_an_upload_whose_file_has_no_name_is_a_server_error(session: StandinSession) -> None:
    """Such a file counts as text; if it is empty, too, no image was sent."""
    for content, status in ((b"x", 500), (b"", 400)):
        body = b'--b\r\nContent-Disposition: form-data; name="image"; filename=""\r\n\r\n%s\r\n--b--\r\n' % content
        headers = {"content-type": "multipart/form-data; boundary=b"}
        assert (await session.client.post("/upload/image", content=body, headers=headers)).status_code == status


async def test_the_first_of_two_parameters_of_one_name_counts(session: StandinSession) -> None:
    answer = await session.client.get(f"/view?filename={SAVED.name}&filename=nope.png")
    assert answer.content == ONE


async def test_loaders_list_files_whose_names_say_that_they_can_be_loaded(session: StandinSession) -> None:
    for name in ("a.png", "b.WEBP", "c.mp4", "d.flac", "e.latent", "f.txt"):
        await _upload(session, name, b"data")
    for name in ("g.glb", "h.stl", "i.png"):
        await _upload(session, name, b"data", subfolder="3d")
    nodes = (await session.client.get("/object_info")).json()
    listed = {
        "Load3D": nodes["Load3D"]["input"]["required"]["model_file"][0],
        "Load3DAnimation": nodes["Load3DAnimation"]["input"]["required"]["model_file"][0],
        "OpenAIInputFiles": nodes["OpenAIInputFiles"]["input"]["required"]["file"][1]["options"],
        "LoadImage": nodes["LoadImage"]["input"]["required"]["image"][0],
        "LoadImageMask": nodes["LoadImageMask"]["input"]["required"]["image"][0],
        "LoadAudio": nodes["LoadAudio"]["input"]["required"]["audio"][0],
        "LoadVideo": nodes["LoadVideo"]["input"]["required"]["file"][1]["options"],
        "LoadLatent": nodes["LoadLatent"]["input"]["required"]["latent"][0],
    }
    assert listed == {
        "Load3D": ["3d/g.glb", "3d/h.stl"],
        "Load3DAnimation": ["3d/g.glb"],
        "OpenAIInputFiles": ["f.txt"],
        "LoadImage": ["a.png", "b.WEBP"],
        "LoadImageMask": ["a.png", "b.WEBP", "c.mp4", "d.flac", "e.latent", "f.txt"],
        "LoadAudio": ["c.mp4", "d.flac"],
        "LoadVideo": ["c.mp4"],
        "LoadLatent": ["e.latent"],
    }
