"""ComfyUI's output nodes, the nodes that they are linked to, and input files for them."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from civitai_mock.ports import InputFile
from tests.support.comfy_graphs import Graph, node
from tests.support.pixel_graphs import BASE, decoded, sampler

SOURCE_NODES: Graph = {
    **BASE,
    "latent": node("VAEEncode", pixels=["tall", 0], vae=["model", 2]),
    "sampled": sampler("latent", denoise=0.6),
    "decoded": decoded("sampled"),
    "movie": node("CreateVideo", images=["moving", 0], fps=10.0),
    "silence": node("EmptyAudio", duration=1.0, sample_rate=44100, channels=2),
    "mask": node("ImageToMask", image=["tall", 0], channel="red"),
}
WEBP: Mapping[str, Any] = {"fps": 6.0, "lossless": True, "quality": 80, "method": "default"}
NAMED = {"filename_prefix": "x"}

# Each output node, with the types of the files that it makes.
OUTPUT_NODES: Mapping[str, tuple[Graph, list[str]]] = {
    "SaveImage": (node("SaveImage", images=["moving", 0], **NAMED), ["image/png"] * 3),
    "SaveImageWebsocket": (node("SaveImageWebsocket", images=["decoded", 0]), ["image/png"]),
    "PreviewImage": (node("PreviewImage", images=["decoded", 0]), ["image/png"]),
    "MaskPreview": (node("MaskPreview", mask=["mask", 0]), ["image/png"]),
    "SaveAnimatedWEBP": (node("SaveAnimatedWEBP", images=["moving", 0], **WEBP, **NAMED), ["image/webp"]),
    "SaveAnimatedPNG": (
        node("SaveAnimatedPNG", images=["moving", 0], fps=6.0, compress_level=4, **NAMED),
        ["image/png"],
    ),
    "SaveWEBM": (node("SaveWEBM", images=["moving", 0], codec="vp9", fps=6.0, crf=32.0, **NAMED), ["video/webm"]),
    "SaveVideo": (node("SaveVideo", video=["movie", 0], format="auto", codec="auto", **NAMED), ["video/mp4"]),
    "SaveLatent": (node("SaveLatent", samples=["sampled", 0], **NAMED), ["application/octet-stream"]),
    "SaveAudio": (node("SaveAudio", audio=["silence", 0], **NAMED), ["audio/flac"]),
    "SaveAudioMP3": (node("SaveAudioMP3", audio=["silence", 0], quality="128k", **NAMED), ["audio/mpeg"]),
    "SaveAudioOpus": (node("SaveAudioOpus", audio=["silence", 0], quality="64k", **NAMED), ["audio/ogg"]),
    "SaveGLB": (node("SaveGLB", mesh=["silence", 0], **NAMED), ["model/gltf-binary"]),
    "PreviewAny": (node("PreviewAny", source=["decoded", 0]), []),
    "CheckpointSave": (node("CheckpointSave", model=["model", 0], clip=["model", 1], vae=["model", 2], **NAMED), []),
}


def input_file(name: str, data: bytes) -> InputFile:
    async def read() -> AsyncIterator[bytes]:
        yield data[:100]
        yield data[100:]

    return InputFile(name=name, content_type="image/png", digest=name, read=read)
