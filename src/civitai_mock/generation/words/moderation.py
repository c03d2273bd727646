"""Verdicts of moderation and of scanners: nothing is triggered, and every file is clean."""

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence

from civitai_mock.domain.air import Air
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.generation.placeholder_results import seeded_random

LABELS = ("csam", "minors", "violence", "hate", "self_harm", "sexual")
ACTION, THRESHOLD = "block", 0.5
HASH_NAMES = ("sha256", "autoV1", "autoV2", "autoV3", "blake3", "crc32")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """Is something that a text is searched for; from the threshold on, 0 to 1, the action is taken."""

    name: str
    action: str = ACTION
    threshold: float = THRESHOLD


def guard_verdict(text: str, *, field: str, labels: Sequence[Label] = ()) -> JsonObject:
    """Return the output of v2's xGuardModeration for a text in a `field` of the request; no label is triggered."""
    wanted = labels or [Label(name=name) for name in LABELS]
    results: list[Json] = [_result(label, text, field) for label in wanted]
    return {"results": results, "blocked": False, "triggeredLabels": []}


def _result(label: Label, text: str, field: str) -> JsonObject:
    return {
        "label": label.name,
        "action": label.action,
        "threshold": label.threshold,
        "score": _low_score(label, text),
        "triggered": False,
        "topToken": "safe",
        "field": field,
        "modelReason": "Nothing in the text points to this label.",
    }


def policy_verdict(text: str, *, policies: Sequence[Label] = ()) -> JsonObject:
    """Return the output of v2's shieldstralModeration for a text; no policy is triggered."""
    wanted = policies or [Label(name=name) for name in LABELS]
    results: list[Json] = [_policy_result(policy, text) for policy in wanted]
    return {"results": results, "blocked": False, "triggeredPolicies": []}


def _policy_result(policy: Label, text: str) -> JsonObject:
    return {
        "policy": policy.name,
        "action": policy.action,
        "threshold": policy.threshold,
        "score": _low_score(policy, text),
        "triggered": False,
        "topToken": "safe",
    }


def _low_score(label: Label, text: str) -> float:
    return round(seeded_random(label.name, text).uniform(0, 0.4) * label.threshold, 4)


def safe_texts(media_urls: Sequence[str]) -> JsonObject:
    """Return the output of v2's batchOCRSafetyClassification: there is no text in any of the images."""
    return {"results": [{"mediaUrl": url, "classification": "safe", "text": ""} for url in media_urls]}


def clam_verdict() -> JsonObject:
    """Return the output of v2's modelClamScan for a clean file."""
    return {
        "exitCode": 0,
        "output": "Infected files: 0",
        "status": "clean",
        "infected": False,
        "infectedFileCount": 0,
        "scannedFileCount": 1,
    }


def pickle_verdict(air: Air) -> JsonObject:
    """Return the output of v2's modelPickleScan; a safetensors file has nothing to be unpickled."""
    skipped: JsonObject = {
        "status": "skippedSafetensors",
        "dangerousImportsFound": False,
        "skipped": True,
        "skipReason": "safetensors files hold no code",
    }
    clean: JsonObject = {
        "status": "clean",
        "dangerousImportsFound": False,
        "skipped": False,
        "scannedFileCount": 1,
        "infectedFileCount": 0,
        "dangerousGlobalCount": 0,
    }
    is_pickle = air.model_path.endswith((".pt", ".pth", ".ckpt", ".bin"))
    return {"exitCode": 0, "globalImports": [], "dangerousImports": [], **(clean if is_pickle else skipped)}


def model_hashes(air: Air, known: Mapping[str, Json]) -> JsonObject:
    """Return the output of v2's modelHash: the `known` hashes of the resource, and others that its AIR is good for.

    Kinds are in any case. AutoV2 is the beginning of SHA-256, as the real one is.
    """
    stated = {kind.lower(): text for kind, text in known.items() if isinstance(text, str)}
    content = str(air).encode()
    sha256 = stated.get("sha256", hashlib.sha256(content).hexdigest().upper())
    made = {
        "sha256": sha256,
        "autoV1": hashlib.sha256(b"1" + content).hexdigest().upper()[:8],
        "autoV2": sha256[:10],
        "autoV3": hashlib.sha256(b"3" + content).hexdigest().upper()[:12],
        "blake3": hashlib.blake2s(content).hexdigest().upper(),
        "crc32": f"{zlib.crc32(content):08X}",
    }
    return {name: stated.get(name.lower(), made[name]) for name in HASH_NAMES}


def model_metadata(air: Air) -> JsonObject:
    """Return the output of v2's modelParseMetadata: what a header of safetensors would say, as JSON in a text."""
    header = {"format": "pt", "modelspec.architecture": air.ecosystem or "", "modelspec.title": str(air)}
    return {"metadata": json.dumps({"__metadata__": header})}
