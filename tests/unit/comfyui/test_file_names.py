"""Files that a graph names are found among a server's own names, or said to be missing."""

from typing import Any

import pytest

from civitai_mock.domain.air import Air
from civitai_mock.domain.job import JobResource
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.providers.comfyui.graphs import missing as missing_files
from civitai_mock.providers.comfyui.graphs.catalogue import Catalogue, InstalledModels, read_catalogue
from civitai_mock.providers.comfyui.graphs.file_names import Names, find_name, nearest_names, resources_by_file
from civitai_mock.providers.comfyui.graphs.localize import LocalizedGraph, localize
from tests.support.table import table

CHECKPOINTS = ["sdxl/civitai/101055/128078.safetensors", "sd15.safetensors", "sub\\deep\\Mixed.ckpt"]
SHA256 = "e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff"
BLAKE3 = "d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95"
RESOURCE = JobResource(
    air=Air.parse("urn:air:sdxl:checkpoint:civitai:101055@128078"),
    file_name="my favourite.safetensors",
    hashes=(SHA256, BLAKE3, "be9edd61"),
)
OBJECT_INFO: JsonObject = {
    "CheckpointLoaderSimple": {"input": {"required": {"ckpt_name": [[*CHECKPOINTS], {"tooltip": "x"}]}}},
    "UpscaleModelLoader": {"input": {"required": {"model_name": ["COMBO", {"options": ["4x.pth"]}]}}},
    "LoraLoader": {"input": {"required": {"lora_name": [[], {}], "model": ["MODEL"]}}},
    "DualCLIPLoader": {"input": {"required": {"clip_name1": [["t5.safetensors"]], "type": [["sdxl", "flux"]]}}},
    "LoadImage": {"input": {"required": {"image": [["a.png"], {"image_upload": True}]}}},
    "CLIPTextEncode": {"input": {"required": {"text": ["STRING", {"multiline": True}]}}},
    "Odd": {"input": {"required": None, "optional": {"size": [[1, 2]], "broken": []}}, "output": None},
    "Empty": None,
}
CATALOGUE = read_catalogue(OBJECT_INFO, ("easynegative", "sub\\deep"))


def node(class_type: str, **inputs: Json) -> JsonObject:
    return {"1": {"class_type": class_type, "inputs": inputs}}


def fit_one(class_type: str, **inputs: Json) -> LocalizedGraph:
    return localize(node(class_type, **inputs), CATALOGUE, {})


def inputs_of(found: LocalizedGraph) -> Any:
    first = found.graph["1"]
    assert isinstance(first, dict)
    return first["inputs"]


def test_both_spellings_of_a_list_are_read() -> None:
    assert CATALOGUE.choices["CheckpointLoaderSimple"]["ckpt_name"].all == tuple(CHECKPOINTS)
    assert CATALOGUE.choices["UpscaleModelLoader"]["model_name"].all == ("4x.pth",)


def test_every_class_is_known_whatever_its_inputs() -> None:
    assert set(CATALOGUE.choices) == set(OBJECT_INFO)
    assert CATALOGUE.choices["CLIPTextEncode"] == {}


def test_models_are_listed_by_folder_and_lists_of_words_are_not_models() -> None:
    assert CATALOGUE.models == {
        "embeddings": ("easynegative", "sub\\deep"),
        "checkpoints": tuple(sorted(CHECKPOINTS)),
        "upscale_models": ("4x.pth",),
        "text_encoders": ("t5.safetensors",),
    }


@table(
    ("wanted", "names", "expected"),
    [
        ("a.safetensors", ["b.safetensors", "a.safetensors"], "a.safetensors"),
        ("x/a.safetensors", ["x\\a.safetensors"], "x\\a.safetensors"),
        ("x\\a.safetensors", ["x/a.safetensors"], "x/a.safetensors"),
        ("x/a.safetensors", ["X/A.safetensors"], "X/A.safetensors"),
        ("x/y/a.safetensors", ["a.safetensors"], "a.safetensors"),
        ("a.safetensors", ["x/y/a.safetensors"], "x/y/a.safetensors"),
        ("x/y/a.safetensors", ["z/a.safetensors", "q/y/a.safetensors"], "q/y/a.safetensors"),
        ("a.safetensors", ["a.ckpt"], "a.ckpt"),
        ("a", ["a.safetensors"], "a.safetensors"),
        ("lora/sdxl/civitai/1/128078.safetensors", ["mine_v2_128078.safetensors"], "mine_v2_128078.safetensors"),
        ("style-1a2b3c4d.safetensors", ["Style (1A2B3C4D).safetensors"], "Style (1A2B3C4D).safetensors"),
    ],
)
def test_a_file_is_found_by_ever_less_of_its_name(wanted: str, names: list[str], expected: str) -> None:
    assert find_name(wanted, Names(tuple(names))) == expected


@table(
    ("wanted", "names"),
    [
        ("a.safetensors", []),
        ("a.safetensors", ["b.safetensors"]),
        ("a.safetensors", ["x/a.safetensors", "y/a.safetensors"]),
        ("A.safetensors", ["a.safetensors", "a.Safetensors"]),
        ("sdxl/civitai/1/128078.safetensors", ["sdxl/civitai/128078/5.safetensors"]),
        ("sdxl/civitai/1/128078.safetensors", ["a_128078.safetensors", "b_128078.safetensors"]),
        ("sdxl/civitai/1/128078.safetensors", ["a_1280789.safetensors"]),
        ("sdxl/civitai/1/9.safetensors", ["part_9.safetensors"]),
        ("decade.safetensors", ["facade.safetensors"]),
    ],
)
def test_a_file_that_may_be_another_is_not_found(wanted: str, names: list[str]) -> None:
    assert find_name(wanted, Names(tuple(names))) is None


@table(
    "name",
    [
        "sdxl/civitai/101055/128078.safetensors",
        "SDXL\\civitai\\101055\\128078.safetensors",
        "models/128078.ckpt",
        "dreams_128078.safetensors",
        f"{SHA256}.safetensors",
        f"Dreams_{SHA256.upper()}.safetensors",
        f"dreams [{SHA256[:10]}].safetensors",
        f"dreams-{SHA256[:8]}.safetensors",
        f"x/{SHA256[:12]}/dreams.{SHA256[:32]}.ckpt",
        f"dreams.{BLAKE3}.safetensors",
        "dreams (BE9EDD61).safetensors",
        "dreams_be9edd61aa.safetensors",
    ],
)
def test_a_resource_whose_file_has_another_name_is_found_by_what_is_known_of_it(name: str) -> None:
    names = Names(("other.safetensors", f"other_{SHA256[1:11]}.safetensors", name))
    assert find_name(RESOURCE.file_name, names, RESOURCE) == name


@table(
    "names",
    [
        [f"dreams_{SHA256[:7]}.safetensors"],
        [f"dreams_{SHA256[:10]}0.safetensors"],
        [f"dreams_{SHA256}0.safetensors"],
        [f"dreams_v1{SHA256[:10]}.safetensors"],
        [f"{SHA256}/dreams.safetensors"],
        ["101055.safetensors"],
        ["sdxl/civitai/101055/128079.safetensors"],
        [f"a_{SHA256[:10]}.safetensors", f"b_{SHA256[:10]}.safetensors"],
    ],
)
def test_a_file_that_only_resembles_what_is_known_of_a_resource_is_not_it(names: list[str]) -> None:
    assert find_name(RESOURCE.file_name, Names(tuple(names)), RESOURCE) is None


BY_EVER_LESS = [
    "my favourite.safetensors",
    "x/My Favourite.safetensors",
    "y/my favourite.ckpt",
    "sdxl\\civitai\\101055\\128078.safetensors",
    "z/128078.ckpt",
    f"dreams.{SHA256[:10]}.safetensors",
    f"dreams.{BLAKE3[:10]}.safetensors",
    "dreams.be9edd61.safetensors",
    "dreams_128078.safetensors",
]


@table("known", range(len(BY_EVER_LESS)))
def test_the_name_of_a_file_goes_before_the_path_rule_and_that_before_a_hash_or_an_id(known: int) -> None:
    names = Names(tuple(reversed(BY_EVER_LESS[known:])))
    assert find_name(RESOURCE.file_name, names, RESOURCE) == BY_EVER_LESS[known]


@pytest.mark.parametrize(
    ("air", "name", "found"),
    [
        ("urn:air:sdxl:lora:huggingface:some/body@main", "lora/sdxl/huggingface/some/body/main.safetensors", True),
        ("urn:air:sdxl:lora:huggingface:some/body@main", "body/main.safetensors", True),
        ("urn:air:sdxl:lora:huggingface:some/body@main", "main.safetensors", False),
        ("urn:air:sdxl:lora:huggingface:some/body@main", "other/main.safetensors", False),
        ("urn:air:sdxl:lora:civitai:1@23", "1/23.safetensors", True),
        ("urn:air:sdxl:lora:civitai:1@23", "23.safetensors", False),
        ("urn:air:sdxl:lora:civitai:1@2345", "2345.safetensors", True),
    ],
)
def test_the_last_part_of_the_path_alone_is_enough_only_where_it_is_an_id(air: str, name: str, found: bool) -> None:
    resource = JobResource(air=Air.parse(air), file_name="style.safetensors")
    assert (find_name(resource.file_name, Names((name,)), resource) is not None) is found


def test_what_is_undecided_by_one_hash_is_decided_by_the_next() -> None:
    names = Names((f"a_{SHA256[:10]}.safetensors", f"b_{SHA256[:10]}.safetensors", f"c_{BLAKE3[:10]}.safetensors"))
    assert find_name(RESOURCE.file_name, names, RESOURCE) == f"c_{BLAKE3[:10]}.safetensors"


@pytest.mark.parametrize("version", ["128078", "128078+93208", "128078.safetensors"])
def test_a_version_is_found_by_its_id_whatever_follows_that_in_the_air(version: str) -> None:
    resource = JobResource(air=Air.parse(f"civitai:101055@{version}"), file_name="x.safetensors")
    names = Names(("dreams_128078.safetensors", "dreams_93208.safetensors"))
    assert find_name(resource.file_name, names, resource) == "dreams_128078.safetensors"


def test_the_nearest_names_come_nearest_first() -> None:
    names = Names(("anything.safetensors", "sub/dreamshaper_7.safetensors", "dreamshaper_8.safetensors"))
    assert nearest_names("dreamshaper_8_pruned.safetensors", names)[0] == "dreamshaper_8.safetensors"
    assert "anything.safetensors" not in nearest_names("dreamshaper_8_pruned.safetensors", names)


@table(
    ("class_type", "name", "value", "expected"),
    [
        ("CheckpointLoaderSimple", "ckpt_name", "sd15.safetensors", "sd15.safetensors"),
        ("CheckpointLoaderSimple", "ckpt_name", "sd15", "sd15.safetensors"),
        ("CheckpointLoaderSimple", "ckpt_name", "sub/deep/mixed.ckpt", "sub\\deep\\Mixed.ckpt"),
        ("UpscaleModelLoader", "model_name", "esrgan/4x.pth", "4x.pth"),
        ("DualCLIPLoader", "type", "no such type", "no such type"),
        ("LoadImage", "image", "uploaded.png", "uploaded.png"),
        ("CheckpointLoaderSimple", "ckpt_name", ["4", 0], ["4", 0]),
        ("Odd", "size", 3, 3),
    ],
)
def test_a_graph_is_put_into_the_servers_names(class_type: str, name: str, value: Json, expected: Json) -> None:
    found = fit_one(class_type, **{name: value})
    assert inputs_of(found) == {name: expected}
    assert found.is_runnable


def test_a_missing_file_is_reported_with_its_air_its_folder_and_the_nearest_names() -> None:
    air = Air.parse("urn:air:sd1:checkpoint:civitai:5@4321")
    resources = resources_by_file([JobResource(air=air, file_name="sd15_full.safetensors")])
    found = localize(node("CheckpointLoaderSimple", ckpt_name="sd15_full.safetensors"), CATALOGUE, resources)
    (missing,) = found.missing
    assert str(missing) == (
        "'sd15_full.safetensors' (urn:air:sd1:checkpoint:civitai:5@4321) is not in checkpoints"
        " (nearest: sd15.safetensors)"
    )
    assert missing.evidence == {
        "file": "sd15_full.safetensors",
        "folder": "checkpoints",
        "reason": "absent",
        "nearest": ["sd15.safetensors"],
        "air": "urn:air:sd1:checkpoint:civitai:5@4321",
    }
    assert not found.is_runnable


def test_a_missing_file_in_an_empty_folder_has_no_nearest_names() -> None:
    (missing,) = fit_one("LoraLoader", lora_name="style.safetensors").missing
    assert str(missing) == "'style.safetensors' is not in loras (nothing like it there)"


def test_a_file_that_is_missing_twice_is_reported_once() -> None:
    graph = node("LoraLoader", lora_name="a.pt") | {"2": {"class_type": "LoraLoader", "inputs": {"lora_name": "a.pt"}}}
    assert len(localize(graph, CATALOGUE, {}).missing) == 1


def test_node_classes_that_the_server_does_not_have_are_reported() -> None:
    found = fit_one("smZ CLIPTextEncode", text="a fox")
    assert found.unknown_classes == ("smZ CLIPTextEncode",)
    assert not found.is_runnable


@table(
    ("text", "expected"),
    [
        ("embedding:easynegative", "embedding:easynegative"),
        ("a fox, embedding:EasyNegative.pt, b", "a fox, embedding:easynegative, b"),
        ("(embedding:EasyNegative:0.8) x", "(embedding:easynegative:0.8) x"),
        ("((embedding:EasyNegative))", "((embedding:easynegative))"),
        ("x\nembedding:sub/Deep", "x\nembedding:sub/deep"),
        ("embedding:embedding/sd1/civitai/1/easynegative", "embedding:easynegative"),
        ("bad,embedding:whatever", "bad,embedding:whatever"),
        ("an embedding: that is", "an embedding: that is"),
        ("myembedding:x", "myembedding:x"),
    ],
)
def test_embeddings_in_prompt_text_are_put_into_the_servers_names(text: str, expected: str) -> None:
    found = fit_one("CLIPTextEncode", text=text)
    assert inputs_of(found) == {"text": expected}
    assert found.is_runnable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"embedding:style\(v2\).pt", r"embedding:style\(v2\)"),
        (r"(embedding:Style\(V2\):0.8), b", r"(embedding:style\(v2\):0.8), b"),
        ("embedding:x_8765, b", r"embedding:negative\(8765\), b"),
        ("embedding:bed,", "embedding:Bed,"),
        ("a STYLE\\(v2\\), b", r"a embedding:style\(v2\), b"),
    ],
)
def test_brackets_in_the_name_of_an_embedding_are_no_weights(text: str, expected: str) -> None:
    catalogue = read_catalogue(OBJECT_INFO, ("style(v2)", "negative(8765)", "Bed"))
    resource = JobResource(air=Air.parse("urn:air:sd1:embedding:civitai:7@8765"), file_name="x_8765.pt")
    resources = resources_by_file([resource])
    found = localize(node("CLIPTextEncode", text=text), catalogue, resources, words_name_embeddings=True)
    assert inputs_of(found) == {"text": expected}
    assert found.is_runnable


def test_an_embedding_that_no_text_can_name_is_not_there() -> None:
    catalogue = read_catalogue(OBJECT_INFO, ("my negative 8765",))
    resource = JobResource(air=Air.parse("urn:air:sd1:embedding:civitai:7@8765"), file_name="negative.pt")
    found = localize(node("CLIPTextEncode", text="embedding:negative.pt"), catalogue, resources_by_file([resource]))
    assert [missing.evidence["air"] for missing in found.missing] == [str(resource.air)]
    assert not InstalledModels(catalogue).has(resource)


@pytest.mark.parametrize("name", ["easyneg", "../x", "(((", "a" * 300, "twin", "\u202e"])
def test_a_text_may_name_embeddings_that_are_not_there_or_more_than_one(name: str) -> None:
    """It is text: ComfyUI leaves them out, and goes on."""
    catalogue = read_catalogue(OBJECT_INFO, ("easynegative", "a/twin", "b/twin"))
    found = localize(node("CLIPTextEncode", text=f"embedding:{name} and embedding:EasyNegative"), catalogue, {})
    assert inputs_of(found) == {"text": f"embedding:{name} and embedding:easynegative"}
    assert found.is_runnable


LISTS: Any = {
    ("CheckpointLoaderSimple", "ckpt_name"): ["sd15.safetensors"],
    ("LoraLoader", "lora_name"): ["style.safetensors"],
    ("HypernetworkLoader", "hypernetwork_name"): [],
    ("CLIPTextEncode", "text"): "STRING",
    ("KSampler", "steps"): "INT",
}
NETWORKS = read_catalogue(
    {class_type: {"input": {"required": {name: [names]}}} for (class_type, name), names in LISTS.items()}, ()
)
CHAIN: JsonObject = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd15.safetensors"}},
    "2": {"class_type": "LoraLoader", "inputs": {"lora_name": "nowhere", "model": ["1", 0], "clip": ["1", 1]}},
    "3": {"class_type": "HypernetworkLoader", "inputs": {"hypernetwork_name": "nowhere", "model": ["2", 0]}},
    "4": {"class_type": "LoraLoader", "inputs": {"lora_name": "Style", "model": ["3", 0], "clip": ["2", 1]}},
    "5": {"class_type": "LoraLoader", "inputs": {"lora_name": "nowhere", "model": ["4", 0], "clip": ["4", 1]}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox", "clip": ["5", 1]}},
    "7": {"class_type": "KSampler", "inputs": {"model": ["5", 0], "positive": ["6", 0], "steps": 7}},
}


@pytest.mark.parametrize(
    ("optional", "left_out", "missing", "links"),
    [
        (("2", "3", "4", "5"), ("2", "3", "5"), [], {"4": (["1", 0], ["1", 1]), "6": ["4", 1], "7": ["4", 0]}),
        (("2", "3"), ("2", "3"), ["loras"], {"4": (["1", 0], ["1", 1]), "6": ["5", 1], "7": ["5", 0]}),
        ((), (), ["loras", "hypernetworks"], {"4": (["3", 0], ["2", 1]), "6": ["5", 1], "7": ["5", 0]}),
    ],
    ids=["all of tags", "some of tags", "none of tags"],
)
def test_a_network_of_a_tag_is_left_out_where_its_file_is_not_there(
    optional: tuple[str, ...], left_out: tuple[str, ...], missing: list[str], links: Any
) -> None:
    found = localize(CHAIN, NETWORKS, {}, optional=optional)
    assert tuple(found.left_out) == left_out
    assert set(found.graph) == set(CHAIN) - set(left_out)
    inputs = {node_id: dict(found.graph[node_id]["inputs"]) for node_id in ("4", "6", "7")}  # type: ignore[arg-type,call-overload,index]
    assert {
        "4": (inputs["4"]["model"], inputs["4"]["clip"]),
        "6": inputs["6"]["clip"],
        "7": inputs["7"]["model"],
    } == links
    assert [lacking.folder for lacking in found.missing] == missing


def test_an_embedding_is_known_by_its_air_without_its_suffix() -> None:
    air = Air.parse("urn:air:sd1:embedding:civitai:7@8765")
    resources = resources_by_file([JobResource(air=air, file_name="embedding/sd1/civitai/7/8765.safetensors")])
    found = localize(node("CLIPTextEncode", text="embedding:embedding/sd1/civitai/7/8765"), CATALOGUE, resources)
    assert found.missing[0].evidence["air"] == str(air)


def test_a_server_that_offers_nothing_misses_every_class() -> None:
    assert localize(node("LoadImage", image="a.png"), Catalogue(), {}).unknown_classes == ("LoadImage",)


def test_nearest_names_are_searched_only_where_somebody_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Searching a long list takes a tenth of a second, and each server that lacks a file is judged for each job."""
    looked: list[str] = []

    def nearest_of(wanted: str, _: Names) -> tuple[str, ...]:
        looked.append(wanted)
        return ("x",)

    monkeypatch.setattr(missing_files, "nearest_names", nearest_of)
    (missing,) = fit_one("LoraLoader", lora_name="style.safetensors").missing
    assert looked == []
    assert (str(missing).endswith("(nearest: x)"), missing.evidence["nearest"]) == (True, ["x"])
    assert looked == ["style.safetensors"]
