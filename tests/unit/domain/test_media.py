"""What a file is, by its first bytes."""

import pytest

from civitai_mock.domain.media import (
    EXTENSIONS,
    UNKNOWN_TYPE,
    MediaKind,
    extension_of,
    kind_of,
    sniffed_type,
    type_of_name,
)
from tests.support.table import table

HEADS = {
    "image/png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x08",
    "image/jpeg": b"\xff\xd8\xff\xe1\xff\xff" + bytes(4000),
    "image/gif": b"GIF89a\x08\0\x08\0" + bytes(8),
    "image/webp": b"RIFF\0\0\0\0WEBPVP8X" + bytes(4) + b"\0\0\0\0\x07\0\0\x07\0\0",
    "video/mp4": b"\0\0\0\x20ftypisom\0\0\2\0",
    "video/quicktime": b"\0\0\0\x14ftypqt  \0\0\2\0",
    "audio/mp4": b"\0\0\0\x20ftypM4A \0\0\2\0",
    "video/webm": b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm",
    "audio/wav": b"RIFF\x24\0\0\0WAVEfmt ",
    "audio/ogg": b"OggS\0\2" + bytes(22),
    "audio/flac": b"fLaC\0\0\0\x22",
    "audio/mpeg": b"ID3\x04\0\0\0\0\0\x23",
    "model/gltf-binary": b"glTF\2\0\0\0",
    "application/zip": b"PK\x03\x04\x14\0",
    "application/x-tar": bytes(257) + b"ustar\x0000" + bytes(248),
}


@table(("content_type", "head"), HEADS.items(), ids=list(HEADS))
def test_a_type_is_known_by_the_first_bytes(content_type: str, head: bytes) -> None:
    assert sniffed_type(head) == content_type


@table(
    "head",
    [
        b"",
        b"<html>",
        b"RIFF\0\0\0\0AVI LIST",
        b"\x1a\x45\xdf\xa3matroska",
        b"\0\0\0\x20ftypheic",
        b"\x89PNG",
        b"MZ\x90\0",
        b"\xff\xd8",
        b"GIF87a\0\0\0\0" + bytes(16),  # of no size
    ],
)
def test_other_bytes_are_not_a_media_file(head: bytes) -> None:
    assert sniffed_type(head) is None


def test_an_mp3_without_tags_begins_with_a_frame() -> None:
    assert sniffed_type(b"\xff\xfb\x90\x64" + bytes(20)) == "audio/mpeg"


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("image/jpeg", MediaKind.IMAGE),
        ("video/mp4", MediaKind.VIDEO),
        ("audio/ogg", MediaKind.AUDIO),
        ("model/gltf-binary", MediaKind.MODEL_3D),
        ("application/zip", None),
        ("text/html", None),
    ],
)
def test_a_kind_follows_from_a_type(content_type: str, kind: MediaKind | None) -> None:
    assert kind_of(content_type) is kind


def test_every_type_has_an_ending_of_its_own_which_leads_back_to_it() -> None:
    """But for sounds in WebM, whose names are those of videos."""
    others = {kind: type_of_name(f"a.b{end}") for kind, end in EXTENSIONS.items() if type_of_name(f"a.b{end}") != kind}
    assert others == {"audio/webm": "video/webm"}
    assert type_of_name("a.jpg") == "image/jpeg"
    assert type_of_name("a") == UNKNOWN_TYPE
    assert extension_of("image/jpeg") == ".jpeg"
    assert extension_of("text/html") == ""
