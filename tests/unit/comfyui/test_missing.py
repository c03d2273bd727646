"""A missing file is described with its reason: one row for each reason."""

from collections.abc import Sequence

import pytest

from civitai_mock.domain.air import Air
from civitai_mock.domain.job import JobResource
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.providers.comfyui.graphs.catalogue import read_catalogue
from civitai_mock.providers.comfyui.graphs.file_names import resources_by_file
from civitai_mock.providers.comfyui.graphs.localize import LocalizedGraph, localize
from civitai_mock.providers.comfyui.graphs.missing import MOST_CANDIDATES
from tests.support.table import table

AIR = "urn:air:sd1:checkpoint:civitai:4384@128713"
HASH = "e6bb9ea85b" + "0" * 54
MANY = [f"{number:02}/dup.safetensors" for number in range(12)]


def resource(file_name: str, *, air: str = AIR, hashes: Sequence[str] = ()) -> JobResource:
    return JobResource(air=Air.parse(air), file_name=file_name, hashes=tuple(hashes))


def object_info(class_type: str, name: str, spec: Json) -> JsonObject:
    return {class_type: {"input": {"required": {name: spec}}}}


def fit_checkpoint(names: Sequence[str], wanted: JobResource | str) -> LocalizedGraph:
    info = object_info("CheckpointLoaderSimple", "ckpt_name", [[*names]])
    name = wanted if isinstance(wanted, str) else wanted.file_name
    graph: JsonObject = {"4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": name}}}
    resources = {} if isinstance(wanted, str) else resources_by_file([wanted])
    return localize(graph, read_catalogue(info, ()), resources)


@table(
    ("names", "wanted", "reason", "account"),
    [
        (
            ["a/dup.safetensors", "b/dup.safetensors"],
            resource("dup.safetensors"),
            "ambiguous",
            f"'dup.safetensors' ({AIR}) is in checkpoints more than once: a/dup.safetensors, b/dup.safetensors;"
            " give the folder in `fileName`",
        ),
        (
            ["a\\dup.safetensors", "b\\dup.safetensors"],
            resource("DUP.safetensors"),
            "ambiguous",
            f"'DUP.safetensors' ({AIR}) is in checkpoints more than once: a\\dup.safetensors, b\\dup.safetensors;"
            " give the folder in `fileName`",
        ),
        (
            ["a/dup.safetensors", "b/dup.ckpt"],
            "dup.pt",
            "ambiguous",
            "'dup.pt' is in checkpoints more than once: a/dup.safetensors, b/dup.ckpt; give one of them in its place",
        ),
        (
            ["a/dup.safetensors", "b/dup.safetensors"],
            "dup.safetensors",
            "ambiguous",
            "'dup.safetensors' is in checkpoints more than once: a/dup.safetensors, b/dup.safetensors;"
            " give the folder as well",
        ),
        (
            ["a/dup.safetensors", "b/dup.safetensors"],
            resource("c/dup.safetensors"),
            "ambiguous",
            f"'c/dup.safetensors' ({AIR}) is in checkpoints more than once: a/dup.safetensors, b/dup.safetensors;"
            " give one of them as `fileName`",
        ),
        (
            MANY,
            resource("dup.safetensors"),
            "ambiguous",
            f"'dup.safetensors' ({AIR}) is in checkpoints more than once: {', '.join(MANY[:MOST_CANDIDATES])}"
            " and 2 more; give the folder in `fileName`",
        ),
        (
            ["one [e6bb9ea85b].safetensors", "two_e6bb9ea85b.safetensors"],
            resource("nowhere.safetensors", hashes=[HASH]),
            "ambiguous",
            f"'nowhere.safetensors' ({AIR}) is in checkpoints more than once by its hash '{HASH}':"
            " one [e6bb9ea85b].safetensors, two_e6bb9ea85b.safetensors; give one of them as `fileName`",
        ),
        (
            ["one_128713.safetensors", "two-128713.safetensors"],
            resource("nowhere.safetensors"),
            "ambiguous",
            f"'nowhere.safetensors' ({AIR}) is in checkpoints more than once by its version id or hash:"
            " one_128713.safetensors, two-128713.safetensors; give one of them as `fileName`",
        ),
        (
            ["dupe.safetensors"],
            resource("dup.safetensors"),
            "absent",
            f"'dup.safetensors' ({AIR}) is not in checkpoints (nearest: dupe.safetensors)",
        ),
    ],
)
def test_the_account_says_why_a_file_was_not_taken(
    names: Sequence[str], wanted: JobResource | str, reason: str, account: str
) -> None:
    (missing,) = fit_checkpoint(names, wanted).missing
    assert str(missing) == account
    assert missing.evidence["reason"] == reason
    candidates = names[:MOST_CANDIDATES] if reason == "ambiguous" else None
    assert missing.evidence.get("candidates") == candidates


def test_what_another_search_finds_once_is_not_ambiguous() -> None:
    names = ["a/dup.safetensors", "b/dup.safetensors", "dreams [e6bb9ea85b].safetensors"]
    assert fit_checkpoint(names, resource("dup.safetensors", hashes=[HASH])).is_runnable


def test_an_embedding_that_no_text_can_name_is_reported_as_unfit() -> None:
    info = object_info("CLIPTextEncode", "text", ["STRING", {}])
    air = "urn:air:sd1:embedding:civitai:7@8765"
    resources = resources_by_file([resource("negative.pt", air=air)])
    graph: JsonObject = {"6": {"class_type": "CLIPTextEncode", "inputs": {"text": "embedding:negative.pt"}}}
    (missing,) = localize(graph, read_catalogue(info, ("my neg 8765.pt",)), resources).missing
    assert missing.evidence["reason"] == "unfit"
    assert str(missing) == (
        f"'negative.pt' ({air}) is in embeddings as 'my neg 8765.pt', and no prompt can name a file with white space in"
        " its name; rename it"
    )


@pytest.mark.parametrize(
    ("listed", "hashes", "text", "fitted"),
    [
        ("my neg.pt", [], "a fox, embedding:my neg.pt", None),
        ("my neg.pt", [], "(embedding:my neg.pt:0.8), a fox", None),
        ("neg_e6bb9ea85b.pt", [HASH], "(embedding:my neg.pt:0.8), a fox", "(embedding:neg_e6bb9ea85b.pt:0.8), a fox"),
    ],
)
def test_an_embedding_whose_file_name_has_a_space_is_not_taken_for_its_first_word(
    listed: str, hashes: Sequence[str], text: str, fitted: str | None
) -> None:
    info = object_info("CLIPTextEncode", "text", ["STRING", {}])
    resources = resources_by_file([resource("my neg.pt", air="urn:air:sd1:embedding:civitai:7@8765", hashes=hashes)])
    graph: JsonObject = {"6": {"class_type": "CLIPTextEncode", "inputs": {"text": text}}}
    found = localize(graph, read_catalogue(info, (listed,)), resources)
    assert [missing.evidence["reason"] for missing in found.missing] == ([] if fitted else ["unfit"])
    assert found.graph["6"] == {"class_type": "CLIPTextEncode", "inputs": {"text": fitted or text}}
