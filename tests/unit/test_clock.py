"""Clocks, ids and seeds."""

import random
import uuid

from civitai_mock.clock import RandomIds, SeededIds


def test_ids_are_written_as_version_4_of_the_standard() -> None:
    ids, bits = SeededIds(7), random.Random(7)
    for _ in range(1000):
        assert ids.uuid() == str(uuid.UUID(int=bits.getrandbits(128), version=4))


def test_no_two_ids_of_this_machine_are_the_same() -> None:
    ids = RandomIds()
    found = {ids.uuid() for _ in range(1000)}
    assert len(found) == 1000
    assert {uuid.UUID(text).version for text in found} == {4}
