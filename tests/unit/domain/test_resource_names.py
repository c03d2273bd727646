"""Of resources that an earlier version of this program stored twice, one is meant."""

import pytest

from civitai_mock.domain.air import Air, parse_reference
from civitai_mock.domain.resource import find_named, find_same
from tests.support.jobs import make_resource

PONY = "urn:air:pony:checkpoint:civitai:257749@290640"
TWIN = "urn:air:sdxl:checkpoint:civitai:257749@290640"
PINNED = f"{PONY}+55"
STORED = [make_resource(air) for air in (TWIN, PINNED, PONY)]


@pytest.mark.parametrize(
    ("text", "air"),
    [
        (PONY, PONY),
        (TWIN, TWIN),
        (PINNED.upper(), PINNED),
        ("@civitai/290640", PONY),
        ("civitai:257749@290640", PONY),
        ("urn:air:illustrious:checkpoint:civitai:257749@290640", PONY),
        ("civitai:257749", PONY),
    ],
)
def test_a_twin_is_named_as_it_is_spelt_and_else_the_first_is(text: str, air: str) -> None:
    found = find_named(parse_reference(text), STORED)
    assert found is not None
    assert str(found.air) == air


@pytest.mark.parametrize(("text", "air"), [(TWIN, TWIN), (f"{TWIN}+1", PONY), ("civitai:257749", None)])
def test_a_twin_can_be_deleted_as_it_is_spelt(text: str, air: str | None) -> None:
    found = find_same(Air.parse(text), STORED)
    assert (found and str(found.air)) == air
