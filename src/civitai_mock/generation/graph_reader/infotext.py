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


def png_texts(graph_json: str, series: OutputImages) -> Mapping[str, str]:
    """Return the texts of a PNG file by their keywords."""
    return {GRAPH_KEYWORD: graph_json, PARAMETERS_KEYWORD: infotext(series)}


def infotext(series: OutputImages) -> str:
    """Return the prompt text with its LoRAs, the negative prompt text, and one line of settings."""
    main = series.main
    words = " ".join([main.prompt_text, *map(_lora, main.loras)]).strip()
    negative = f"Negative prompt: {main.negative_text}" if main.negative_text else ""
    return "\n".join(line for line in (words, negative, _settings(series)) if line).replace("\0", "")


def _settings(series: OutputImages) -> str:
    main, drawing = series.main, _drawing(series)
    settings = {
        "Steps": str(sum(sampled.steps_taken for sampled in drawing)),
        "Sampler": main.sampler,
        "Schedule type": main.noise_schedule,
        "CFG scale": _number(main.cfg),
        "Distilled CFG Scale": _number(main.guidance),
        "Seed": str(main.seed),
        "Size": _size(series),
        "Model": file_stem(main.model),
        "VAE": file_stem(series.vae),
        "Denoising strength": _denoise(series),
        "Clip skip": str(main.clip_skip) if main.clip_skip > 1 else "",
        **_refined(drawing),
        **_enlarged(series, series.passes[len(drawing) :]),
    }
    return ", ".join(f"{name}: {_quoted(value)}" for name, value in settings.items() if value)


def _size(series: OutputImages) -> str:
    """As it is drawn first; nothing where that would be a guess."""
    main, batch = series.main, series.batch
    if series.passes:
        return f"{main.width}x{main.height}" if main.width else ""
    return "" if batch.guessed else f"{batch.width}x{batch.height}"


def _drawing(series: OutputImages) -> Sequence[SamplerPass]:
    """The first pass, and those that go on with its noise."""
    others = takewhile(lambda sampled: not sampled.adds_noise, series.passes[1:])
    return [*series.passes[:1], *others]


def _denoise(series: OutputImages) -> str:
    """Of the source, or of the hires pass."""
    share = series.main.denoise
    hires = series.passes[len(_drawing(series)) :]
    if share == 1 and hires:
        share = hires[0].denoise
    return _number(share) if share < 1 else ""


def _refined(drawing: Sequence[SamplerPass]) -> Mapping[str, str]:
    main, refiner = (drawing[0], drawing[-1]) if drawing else (SamplerPass(), SamplerPass())
    if refiner.model == main.model:
        return {}
    total = sum(sampled.steps_taken for sampled in drawing)
    switch = main.steps_taken / total if total else 0.0
    return {"Refiner": file_stem(refiner.model), "Refiner switch at": _number(round(switch, DECIMALS))}


def _enlarged(series: OutputImages, hires: Sequence[SamplerPass]) -> Mapping[str, str]:
    """By hires passes, and without any sampling after the last pass."""
    found = {}
    main, last = series.main, hires[-1] if hires else series.main
    if hires:
        found["Hires upscale"] = _growth(main.width, last.width)
        found["Hires steps"] = str(hires[0].steps)
        found["Hires upscaler"] = file_stem(hires[0].upscaler)
    if series.upscaler and series.passes:
        found["Postprocess upscale by"] = _growth(last.width, 0 if series.batch.guessed else series.batch.width)
        found["Postprocess upscaler"] = file_stem(series.upscaler)
    return found


def _growth(before: int, after: int) -> str:
    """0 stands for what is not known."""
    return _number(round(after / before, DECIMALS)) if before and after else ""


def _quoted(value: str) -> str:
    """As A1111 does where a reader would take a part for the next setting."""
    return json.dumps(value, ensure_ascii=False) if any(sign in value for sign in ",:\n") else value


def file_stem(file_name: str) -> str:
    """`sdxl/civitai/101055/128078` of `sdxl/civitai/101055/128078.safetensors`."""
    return str(PurePosixPath(file_name).with_suffix("")) if PurePosixPath(file_name).name else file_name


def _lora(lora: Lora) -> str:
    return f"<lora:{file_stem(lora.file_name)}:{lora.strength:g}>"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
