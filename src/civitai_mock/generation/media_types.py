"""The media type of a file that a graph made, by the ending of its name."""

from collections.abc import Mapping

UNKNOWN = "application/octet-stream"
MEDIA_TYPES: Mapping[str, str] = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "svg": "image/svg+xml",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "glb": "model/gltf-binary",
}


def media_type_of(filename: str) -> str:
    return MEDIA_TYPES.get(filename.rpartition(".")[2].lower(), UNKNOWN)
