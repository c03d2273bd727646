"""The text chunks of a picture: ComfyUI's own, and the `parameters` that readers of A1111's pictures look for."""

import json
from collections.abc import Mapping
from pathlib import PurePosixPath

from civitai_mock.providers.simulator.facts import Lora, Series

GRAPH_CHUNK = "prompt"
PARAMETERS_CHUNK = "parameters"


def texts_of(graph_json: str, extra_pnginfo: Mapping[str, str], series: Series) -> Mapping[str, str]:
    """By keyword, in ComfyUI's order; entries of `extra_pnginfo` are written as JSON, as ComfyUI does."""
    ours = {GRAPH_CHUNK: graph_json, PARAMETERS_CHUNK: parameters(series)}
    extra = {keyword: json.dumps(value) for keyword, value in extra_pnginfo.items()}
    return {GRAPH_CHUNK: graph_json, **extra, **ours}


def parameters(series: Series) -> str:
    """Prompt text with its LoRAs, negative prompt text, and one line of settings."""
    main = series.main
    words = " ".join([main.prompt_text, *map(_lora, main.loras)]).strip()
    negative = f"Negative prompt: {main.negative_text}" if main.negative_text else ""
    return "\n".join(line for line in (words, negative, _settings(series)) if line).replace("\0", "")


def _settings(series: Series) -> str:
    main, frame = series.main, series.frame
    settings = {
        "Steps": str(main.steps),
        "Sampler": main.sampler,
        "Schedule type": main.noise_schedule,
        "CFG scale": _number(main.cfg),
        "Distilled CFG Scale": _number(main.guidance),
        "Seed": str(main.seed),
        "Size": f"{frame.width}x{frame.height}",
        "Model": file_stem(main.model),
        "Denoising strength": _number(main.denoise) if main.denoise < 1 else "",
    }
    return ", ".join(f"{name}: {value}" for name, value in settings.items() if value)


def file_stem(file_name: str) -> str:
    """`sdxl/civitai/101055/128078` of `sdxl/civitai/101055/128078.safetensors`."""
    return str(PurePosixPath(file_name).with_suffix("")) if PurePosixPath(file_name).name else file_name


def _lora(lora: Lora) -> str:
    return f"<lora:{file_stem(lora.file_name)}:{lora.strength:g}>"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
