"""What the document of a resource says about its file."""

import pytest

from civitai_mock.domain.json_types import Json, JsonObject
from tests.parity.replay import read_capture
from tests.support.jobs import make_resource
from tests.support.table import table

SHA256 = "E6BB9EA85BBF7BF6478A7C6D18B71246F22E95D41BCDD80ED40AA212C33CFEFF"
BLAKE3 = "D4B89247EE54185BA1DCC1ACC0BB2E1A2E9333D7F53CE651A19B8B76CB520A95"


@pytest.mark.parametrize(
    ("capture", "hashes"),
    [
        ("v2-resource-checkpoint", (BLAKE3.lower(), SHA256.lower(), "be9edd61")),
        (
            "v2-resource-lora-flux1",
            (
                "89d939e4d444a6e3fb63097a947e1276c93a4717ae696673d6106cdbe1dd529d",
                "dcf1ea67915737e3b0f41eb3a66a10cc5c3c2e73579919afcaf738a1c9903982",
                "3f34446ec06e",
                "c87e3019",
            ),
        ),
    ],
)
def test_recorded_hashes_are_told_in_lower_case_the_longest_first(capture: str, hashes: tuple[str, ...]) -> None:
    recorded: JsonObject = read_capture(capture)
    assert make_resource(hashes=recorded["hashes"]).hashes == hashes


@table(
    ("stated", "hashes"),
    [
        ({"SHA256": SHA256, "AutoV2": SHA256[:10]}, (SHA256.lower(),)),
        ({"AutoV2": SHA256[:10]}, (SHA256[:10].lower(),)),
        ({"sha256": f" {SHA256.lower()}\n"}, (SHA256.lower(),)),
        ({"SHA256": SHA256, "BLAKE3": SHA256}, (SHA256.lower(),)),
        ({"AutoV1": "BE9EDD61", "AutoV3": "CE9EDD61"}, ("be9edd61", "ce9edd61")),
        ({"CRC32": "9B4D991F"}, ()),
        ({"SHA512": SHA256 * 2, "perceptual": SHA256}, ()),
        ({"SHA256": SHA256[:7], "AutoV2": "", "AutoV3": "no hash!", "BLAKE3": SHA256 + "0"}, ()),
        ({"SHA256": None, "AutoV1": 12345678, "AutoV2": [SHA256]}, ()),
        ([SHA256], ()),
        (SHA256, ()),
        (None, ()),
    ],
)
def test_only_what_is_a_hash_of_the_whole_file_or_much_of_it_is_told(stated: Json, hashes: tuple[str, ...]) -> None:
    assert make_resource(hashes=stated).hashes == hashes


def test_a_job_knows_the_hashes_of_its_resources() -> None:
    assert make_resource(hashes={"SHA256": SHA256}).for_job.hashes == (SHA256.lower(),)
    assert make_resource().for_job.hashes == ()


def test_what_a_job_stores_of_a_resource_is_worked_out_once() -> None:
    resource = make_resource(hashes={"SHA256": SHA256})
    assert resource.for_job is resource.for_job
