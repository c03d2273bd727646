"""AIRs: what is one, what it is called, and which file it means."""

from dataclasses import replace
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.air import AIR_PATTERN, MAX_AIR_LENGTH, Air, CompressedAir, parse_reference
from civitai_mock.domain.errors import InvalidRequestError
from tests.support.table import table

SDXL = "urn:air:sdxl:checkpoint:civitai:101055@128078"
WORDS = st.text("azAZ09_-", min_size=1, max_size=4)
PARTS = st.lists(WORDS, min_size=1, max_size=2).map("/".join)
VERSIONS = st.builds("{}{}{}".format, WORDS, st.sampled_from(["", "/", ":", ".", "=,%+", "..."]), WORDS)
AIRS = st.builds(
    lambda prefix, named, version: prefix + ":".join(named) + version,
    st.sampled_from(["", "urn:", "air:", "urn:air:", "URN:Air:"]),
    st.lists(PARTS, min_size=2, max_size=4),
    st.one_of(st.just(""), VERSIONS.map("@{}".format)),
)


PLAIN = Air(source="civitai", id="5")


@table(
    ("text", "expected"),
    [
        (SDXL, replace(PLAIN, ecosystem="sdxl", type="checkpoint", id="101055", version="128078")),
        (
            "sdxl:checkpoint:civitai:101055@128078",
            replace(PLAIN, ecosystem="sdxl", type="checkpoint", id="101055", version="128078"),
        ),
        ("civitai:101055@128078", replace(PLAIN, id="101055", version="128078")),
        ("air:civitai:5", PLAIN),
        ("URN:AIR:sdxl:LoRA:CivitAI:5", replace(PLAIN, ecosystem="sdxl", type="LoRA", source="CivitAI")),
        ("lora:civitai:5", replace(PLAIN, ecosystem="lora")),
        (
            "urn:air:sd1:vae:huggingface:stabilityai/sd-vae-ft-mse@main",
            replace(
                PLAIN, ecosystem="sd1", type="vae", source="huggingface", id="stabilityai/sd-vae-ft-mse", version="main"
            ),
        ),
        ("civitai:5@2.safetensors", replace(PLAIN, version="2.safetensors")),
        ("civitai:5@2+17", replace(PLAIN, version="2+17")),
    ],
)
def test_an_air_is_taken_apart(text: str, expected: Air) -> None:
    assert Air.parse(text) == expected


@table(
    "text",
    [
        "",
        "101055",
        "civitai:",
        ":5",
        "civitai:5@",
        "civitai:5 6",
        "a:b:c:d:e:f",
        "civitai:5@2\n",
        "civitai:ö",
        "civitai:5@2@3",
        "@civitai/5",
        "civitai:" + "9" * MAX_AIR_LENGTH,
    ],
)
def test_what_is_no_air_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="is not a valid AIR"):
        Air.parse(text)


@table(
    "text",
    [
        "urn:air:sd1:checkpoint:civitai:..@1",
        "urn:air:sd1:checkpoint:civitai:../../etc/passwd",
        "urn:air:sd1:checkpoint:civitai:5@../1",
        "urn:air:sd1:checkpoint:civitai:a/./b",
        "urn:air:/etc:checkpoint:civitai:5",
        "urn:air:sd1:checkpoint:civitai:/etc/passwd",
        "urn:air:sd1:lora:civitai:5@/1",
        "urn:air:sd1:lora:civitai:a//b",
        "urn:air:sd1:lora:civitai:a/",
    ],
)
def test_path_tricks_are_refused(text: str) -> None:
    assert AIR_PATTERN.fullmatch(text), "the official pattern alone would take it"
    with pytest.raises(InvalidRequestError):
        Air.parse(text)


@given(AIRS)
def test_an_air_is_the_same_after_a_round_trip(text: str) -> None:
    parsed = Air.parse(text)
    assert Air.parse(str(parsed)) == parsed


@given(AIRS)
def test_keys_do_not_regard_case(text: str) -> None:
    assert Air.parse(text.upper()).key == Air.parse(text.lower()).key == Air.parse(text).key


@given(AIRS)
def test_a_model_path_stays_below_its_folder(text: str) -> None:
    path = PurePosixPath(Air.parse(text).model_path)
    assert not path.is_absolute()
    assert not {"..", "."} & set(path.parts)
    assert str(path) == Air.parse(text).model_path


@table(
    ("text", "path"),
    [
        (SDXL, "sdxl/civitai/101055/128078.safetensors"),
        ("urn:air:SDXL:Checkpoint:civitai:101055@128078", "sdxl/civitai/101055/128078.safetensors"),
        ("urn:air:sd1:lora:civitai:82098@87153", "lora/sd1/civitai/82098/87153.safetensors"),
        ("urn:air:sd1:LORA:civitai:82098@87153", "lora/sd1/civitai/82098/87153.safetensors"),
        ("urn:air:sd1:embedding:civitai:7808@9208.pt", "embedding/sd1/civitai/7808/9208.pt"),
        ("urn:air:sd1:checkpoint:civitai:4384", "sd1/civitai/4384.safetensors"),
        ("civitai:4384@1", "unknown/civitai/4384/1.safetensors"),
        (f"{SDXL}+96501", "sdxl/civitai/101055/128078.safetensors"),
        (f"{SDXL}+96501.ckpt", "sdxl/civitai/101055/128078.ckpt"),
        ("urn:air:sdxl:model:civitai:4201@130072", "sdxl/civitai/4201/130072.safetensors"),
        ("urn:air:sdxl:lora:huggingface:a/b@v1+2.bin", "lora/sdxl/huggingface/a/b/v1+2.bin"),
    ],
)
def test_the_path_of_a_model_file_follows_from_its_air(text: str, path: str) -> None:
    assert Air.parse(text).model_path == path


@pytest.mark.parametrize(
    ("text", "compressed"),
    [
        (SDXL, "@civitai/128078"),
        (f"{SDXL}+96501", "@civitai/128078"),
        (f"{SDXL}+96501.safetensors", "@civitai/128078"),
        ("urn:air:sd1:lora:civitai:5", "urn:air:sd1:lora:civitai:5"),
        ("urn:air:sd1:lora:civitai:5@v1+2", "@civitai/v1+2"),
        ("urn:air:sd1:lora:huggingface:a/b@1+2", "@huggingface/1+2"),
    ],
)
def test_an_air_is_compressed_to_its_source_and_version(text: str, compressed: str) -> None:
    assert Air.parse(text).compressed == compressed


@table(
    ("text", "identity"),
    [
        (SDXL, "@civitai/128078"),
        ("civitai:1@128078", "@civitai/128078"),
        ("PONY:LoRA:CIVITAI:1@128078+5.ckpt", "@civitai/128078"),
        ("civitai:1@128078:unet", "@civitai/128078"),
        ("civitai:1@128078-5", "urn:air:civitai:1@128078-5"),
        ("civitai:1@v2", "urn:air:civitai:1@v2"),
        ("civitai:1", "urn:air:civitai:1"),
        ("sdxl:lora:huggingface:A/b@128078", "urn:air:sdxl:lora:huggingface:a/b@128078"),
    ],
)
def test_the_version_id_alone_says_which_resource_of_civitai_is_meant(text: str, identity: str) -> None:
    assert Air.parse(text).identity == identity


@pytest.mark.parametrize(
    ("text", "without_file"),
    [
        (SDXL, SDXL),
        (f"{SDXL}+96501", SDXL),
        (f"{SDXL}+96501.ckpt", f"{SDXL}.ckpt"),
        (f"{SDXL}.safetensors", f"{SDXL}.safetensors"),
        ("urn:air:sd1:lora:civitai:5", "urn:air:sd1:lora:civitai:5"),
        ("urn:air:sd1:lora:huggingface:a/b@1+2", "urn:air:sd1:lora:huggingface:a/b@1+2"),
    ],
)
def test_the_file_of_a_version_can_be_left_open(text: str, without_file: str) -> None:
    assert str(Air.parse(text).without_file) == without_file


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@civitai/128078", CompressedAir("civitai", "128078")),
        ("@huggingface/refs/pr/1", CompressedAir("huggingface", "refs/pr/1")),
    ],
)
def test_a_compressed_air_is_taken_apart(text: str, expected: CompressedAir) -> None:
    assert parse_reference(text) == expected
    assert str(expected) == text


@given(WORDS, WORDS, VERSIONS)
def test_a_compressed_air_keeps_source_and_version(source: str, model_id: str, version: str) -> None:
    compressed = Air.parse(f"{source}:{model_id}@{version}").compressed
    assert parse_reference(compressed) == CompressedAir(source, version)


@pytest.mark.parametrize("text", ["@civitai", "@civitai/", "@/128078", "128078"])
def test_what_is_neither_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse_reference(text)


def test_a_reference_that_is_read_again_is_the_same_value_with_what_follows_from_it() -> None:
    reference = parse_reference(SDXL)
    again = parse_reference(SDXL)
    assert again is reference
    assert isinstance(again, Air)
    assert again.text is str(reference)
    assert again.without_file is again.without_file


def test_a_long_reference_is_not_remembered() -> None:
    text = f"@civitai/{'1' * MAX_AIR_LENGTH}"
    assert parse_reference(text) == parse_reference(text)
    assert parse_reference(text) is not parse_reference(text)
