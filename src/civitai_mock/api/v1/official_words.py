"""The lists of the official v1 description, for clients that take no other word."""

from collections.abc import Mapping
from typing import TypeAlias, Union

from civitai_mock.domain.json_types import Json, JsonObject

# What the lists allow at each place in a detailed job; every member of an object under ANY.
Words: TypeAlias = Mapping[str, Union[frozenset[str], "Words"]]
ANY = "*"

BASE_MODELS = frozenset({"SD_1_5", "SDXL"})
ASSET_TYPES = frozenset({"Lora", "Hypernetwork", "TextualInversion", "Lycoris", "Checkpoint", "Vae", "LoCon"})
SCHEDULERS = frozenset(
    {
        *("EulerA", "Euler", "LMS", "Heun", "DPM2", "DPM2A", "DPM2SA", "DPM2M", "DPMSDE", "DPMFast", "DPMAdaptive"),
        *("LMSKarras", "DPM2Karras", "DPM2AKarras", "DPM2SAKarras", "DPM2MKarras", "DPMSDEKarras", "DDIM", "PLMS"),
        *("UniPC", "Undefined", "LCM", "DDPM", "DEIS"),
    }
)
WORDS_OF_JOBS: Mapping[str, Words] = {
    "TextToImageV2": {
        "baseModel": BASE_MODELS,
        "params": {"scheduler": SCHEDULERS},
        "additionalNetworks": {ANY: {"type": ASSET_TYPES}},
    },
    "PrepareModel": {"baseModel": BASE_MODELS},
}


def with_official_words(members: JsonObject, job_type: str) -> JsonObject:
    """Leave out the values that are in no official list: none of these members has to be there."""
    return _allowed(members, WORDS_OF_JOBS.get(job_type, {}))


def _allowed(members: JsonObject, words: Words) -> JsonObject:
    kept = {name: (value, words.get(name, words.get(ANY))) for name, value in members.items()}
    return {name: _inside(value, of) for name, (value, of) in kept.items() if not _is_strange(value, of)}


def _inside(value: Json, words: frozenset[str] | Words | None) -> Json:
    return _allowed(value, words) if isinstance(value, dict) and isinstance(words, Mapping) else value


def _is_strange(value: Json, words: frozenset[str] | Words | None) -> bool:
    return isinstance(words, frozenset) and value not in words
