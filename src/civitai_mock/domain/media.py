"""Kinds of media files: what they are by their first bytes, and what their names end in."""

from collections.abc import Mapping
from enum import StrEnum

from civitai_mock.domain.images import BrokenImageError, read_header

UNKNOWN_TYPE = "application/octet-stream"
SNIFFED_BYTES = 4096  # so many first bytes are enough for every type

# By content type, the one ending that its file names have here (v2: `….jpeg`, `….mp4`, `….ogg`).
EXTENSIONS: Mapping[str, str] = {
    "image/jpeg": ".jpeg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
    "image/svg+xml": ".svg",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "audio/ogg": ".ogg",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "audio/flac": ".flac",
    "audio/mp4": ".m4a",
    "audio/webm": ".webm",
    "model/gltf-binary": ".glb",
    "application/zip": ".zip",
    "application/x-tar": ".tar",
    "application/json": ".json",
    UNKNOWN_TYPE: ".safetensors",
}
# A name in `.webm` is that of a video: the first type with an ending has it.
TYPES_BY_EXTENSION: Mapping[str, str] = {
    ".jpg": "image/jpeg",
    **{end: kind for kind, end in reversed([*EXTENSIONS.items()])},
}
VIDEO_BRANDS = frozenset({b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"dash"})
SOUND_BRANDS = frozenset({b"M4A ", b"M4B "})
QUICKTIME = b"qt  "
WEBM_HEAD, WEBM_DOCTYPE = b"\x1a\x45\xdf\xa3", b"webm"
MP3_LAYER = frozenset({0xFA, 0xFB, 0xF2, 0xF3})  # second byte of a frame of MPEG 1 or 2, layer III


class MediaKind(StrEnum):
    """Names what a blob is to v2's clients (description: `Blob.type`)."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    MODEL_3D = "model3d"


KINDS_OF_FAMILIES: Mapping[str, MediaKind] = {
    "image": MediaKind.IMAGE,
    "video": MediaKind.VIDEO,
    "audio": MediaKind.AUDIO,
}


def kind_of(content_type: str) -> MediaKind | None:
    """Return what a file of this type is to v2; None for one that is nothing to look at or to listen to."""
    family = content_type.partition("/")[0]
    if family == "model":
        return MediaKind.MODEL_3D
    return KINDS_OF_FAMILIES.get(family)


def extension_of(content_type: str) -> str:
    """Return what names of files of a type end in, with its dot; nothing for a type that is not made here."""
    return EXTENSIONS.get(content_type, "")


def type_of_name(name: str) -> str:
    """Return the content type of a file that is made here, by what its name ends in."""
    return TYPES_BY_EXTENSION.get(name[name.rfind(".") :], UNKNOWN_TYPE)


def sniffed_type(head: bytes) -> str | None:
    """Return the content type that the first bytes show, whatever anybody said; None for what is not a media file.

    `head` is the whole file, or its first `SNIFFED_BYTES`. Nothing more of it is checked.
    """
    return _image_type(head) or _video_type(head) or _sound_type(head) or _other_type(head)


def _image_type(head: bytes) -> str | None:
    try:
        header = read_header(head)
    except BrokenImageError:
        return None
    if header is not None:
        return header.content_type
    return "image/jpeg" if head.startswith(b"\xff\xd8\xff") else None  # whose size may come late


def _video_type(head: bytes) -> str | None:
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in SOUND_BRANDS:
            return "audio/mp4"
        return "video/quicktime" if brand == QUICKTIME else "video/mp4" if brand in VIDEO_BRANDS else None
    return "video/webm" if head.startswith(WEBM_HEAD) and WEBM_DOCTYPE in head[:64] else None


def _sound_type(head: bytes) -> str | None:
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "audio/wav"
    if head.startswith(b"OggS"):
        return "audio/ogg"
    if head.startswith(b"fLaC"):
        return "audio/flac"
    is_mp3 = head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] in MP3_LAYER)
    return "audio/mpeg" if is_mp3 else None


def _other_type(head: bytes) -> str | None:
    if head.startswith(b"glTF"):
        return "model/gltf-binary"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "application/zip"
    return "application/x-tar" if head[257:262] == b"ustar" else None
