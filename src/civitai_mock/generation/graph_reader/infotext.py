"""A1111's infotext: a text that says how an image was made, as its readers expect it in a PNG file."""

import json
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import PurePosixPath

from civitai_mock.generation.comfyui_facts import GRAPH_KEYWORD
from civitai_mock.generation.graph_reader.output_images import OutputImages
from civitai_mock.generation.graph_reader.samplers import Lora, SamplerPass

PARAMETERS_KEYWORD = "parameters"
DECIMALS = 3


def png_texts(graph_json: str, output: OutputImages) -> Mapping[str, str]:
    """Return the texts of a PNG file by their keywords."""
    return {GRAPH_KEYWORD: graph_json, PARAMETERS_KEYWORD: infotext(output)}


def infotext(output: OutputImages) -> str:
    """Return the prompt text with its LoRAs, the negative prompt text, and one line of settings."""
    main = output.main
    words = " ".join([main.prompt_text, *map(_lora, main.loras)]).strip()
    negative = f"Negative prompt: {main.negative_text}" if main.negative_text else ""
    return "\n".join(line for line in (words, negative, _settings(output)) if line).replace("\0", "")


def _settings(output: OutputImages) -> str:
    main, first = output.main, _first_passes(output)
    settings = {
        "Steps": str(sum(sampled.steps_taken for sampled in first)),
        "Sampler": main.sampler,
        "Schedule type": main.noise_schedule,
        "CFG scale": _number(main.cfg),
        "Distilled CFG Scale": _number(main.guidance),
        "Seed": str(main.seed),
        "Size": _size(output),
        "Model": file_stem(main.model),
        "VAE": file_stem(output.vae),
        "Denoising strength": _denoise(output),
        "Clip skip": str(main.clip_skip) if main.clip_skip > 1 else "",
        **_refined(first),
        **_enlarged(output, output.passes[len(first) :]),
    }
    return ", ".join(f"{name}: {_quoted(value)}" for name, value in settings.items() if value)


def _size(output: OutputImages) -> str:
    """Return the size of the first pass, or nothing where that would be a guess."""
    main, batch = output.main, output.batch
    if output.passes:
        return f"{main.width}x{main.height}" if main.width else ""
    return "" if batch.guessed else f"{batch.width}x{batch.height}"


def _first_passes(output: OutputImages) -> Sequence[SamplerPass]:
    """Return the first pass, and those that go on with its noise."""
    others = takewhile(lambda sampled: not sampled.adds_noise, output.passes[1:])
    return [*output.passes[:1], *others]


def _denoise(output: OutputImages) -> str:
    """Return the denoise of the source image, or that of the hires pass."""
    denoise = output.main.denoise
    hires = output.passes[len(_first_passes(output)) :]
    if denoise == 1 and hires:
        denoise = hires[0].denoise
    return _number(denoise) if denoise < 1 else ""


def _refined(passes: Sequence[SamplerPass]) -> Mapping[str, str]:
    main, refiner = (passes[0], passes[-1]) if passes else (SamplerPass(), SamplerPass())
    if refiner.model == main.model:
        return {}
    total = sum(sampled.steps_taken for sampled in passes)
    switch = main.steps_taken / total if total else 0.0
    return {"Refiner": file_stem(refiner.model), "Refiner switch at": _number(round(switch, DECIMALS))}


def _enlarged(output: OutputImages, hires: Sequence[SamplerPass]) -> Mapping[str, str]:
    """Return the settings of hires passes, and those of an upscaler that comes after the last pass."""
    found = {}
    main, last = output.main, hires[-1] if hires else output.main
    if hires:
        found["Hires upscale"] = _growth(main.width, last.width)
        found["Hires steps"] = str(hires[0].steps)
        found["Hires upscaler"] = file_stem(hires[0].upscaler)
    if output.upscaler and output.passes:
        found["Postprocess upscale by"] = _growth(last.width, 0 if output.batch.guessed else output.batch.width)
        found["Postprocess upscaler"] = file_stem(output.upscaler)
    return found


def _growth(before: int, after: int) -> str:
    """Return the factor between two sides, of which 0 stands for an unknown one."""
    return _number(round(after / before, DECIMALS)) if before and after else ""


def _quoted(value: str) -> str:
    """Quote a value as A1111 does, where a reader would take a part of it for the next setting."""
    return json.dumps(value, ensure_ascii=False) if any(sign in value for sign in ",:\n") else value


def file_stem(file_name: str) -> str:
    """Return `sdxl/civitai/101055/128078` for `sdxl/civitai/101055/128078.safetensors`."""
    return str(PurePosixPath(file_name).with_suffix("")) if PurePosixPath(file_name).name else file_name


def _lora(lora: Lora) -> str:
    return f"<lora:{file_stem(lora.file_name)}:{lora.strength:g}>"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
