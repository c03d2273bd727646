"""Packed JSON in rows of SQLite."""

import hashlib
import json
import zlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.storage.sqlite.packing import DICTIONARY, MOST_PACKED, WINDOW_BITS, pack, unpack, unpack_lines

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda items: st.lists(items) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), items),
)  # fmt: skip


@given(JSON)
def test_what_is_packed_comes_back(value: object) -> None:
    assert unpack(pack(value)) == value


@given(st.lists(JSON, min_size=1))
def test_each_value_that_is_packed_is_a_line(values: list[object]) -> None:
    assert [orjson.loads(line) for line in unpack_lines(pack(*values))] == values


@pytest.mark.parametrize("length", [0, 1, MOST_PACKED - 2, MOST_PACKED - 1, 3 * MOST_PACKED])
def test_large_texts_stay_text(length: int) -> None:
    stored = pack("x" * length)
    assert isinstance(stored, str) is (length + 2 > MOST_PACKED)
    assert unpack(stored) == "x" * length


def test_what_a_schema_has_packed_can_always_be_unpacked() -> None:
    """Another dictionary needs another version of the schema, which unpacks with this one."""
    digest = hashlib.sha256(DICTIONARY).hexdigest()
    assert digest == "4066d5887fdd87d2652844bf3a7bc74b1faee95916823c611018980d30453215"
    assert unpack(bytes.fromhex("c3dd0e8b0500")) == ["Updated", "SENT_TO_COMFY"]


def test_what_earlier_versions_packed_with_tables_and_a_smaller_window_can_be_unpacked() -> None:
    value = [{"graph": "".join(chr(32 + number * number % 90) for number in range(3000)), "n": list(range(500))}]
    packing = zlib.compressobj(3, zlib.DEFLATED, -12, 5, zlib.Z_DEFAULT_STRATEGY, DICTIONARY)
    assert unpack(packing.compress(json.dumps(value).encode()) + packing.flush()) == value


def test_what_is_packed_has_no_tables_of_its_own() -> None:
    """To make them takes half of the time of unpacking; the bits after the first say which kind of block begins."""
    fixed = 1
    packed = pack({"graph": "".join(chr(32 + number * number % 90) for number in range(3000))})
    assert isinstance(packed, bytes)
    assert packed[0] >> 1 & 3 == fixed


def test_the_window_holds_the_whole_dictionary() -> None:
    """DEFLATE looks 262 bytes less far back than its window."""
    assert len(DICTIONARY) <= 2**-WINDOW_BITS - 262


def test_a_graph_takes_a_tenth() -> None:
    (graph,) = json.loads(DICTIONARY.splitlines()[-1])
    another = graph.replace("1234567890", "77").replace("512", "768")
    assert len(pack([another])) < len(another) / 10
