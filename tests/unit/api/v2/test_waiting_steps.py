"""Steps whose inputs still refer to others have a price and texts, and no output, whatever their type."""

from civitai_mock.api.v2.description.echo import echo_input
from civitai_mock.api.v2.steps import STEP_TYPES
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json
from tests.support.table import table
from tests.support.v2_inputs import input_kinds
from tests.support.v2_media_inputs import sent_inputs
from tests.support.v2_steps import SEEN, TYPES

REFERENCE: Json = {"$ref": "first", "path": "output.value"}


def waiting_inputs(step_type: str, *, is_full: bool) -> list[Json]:
    """Return the echo of each input with a reference in the place of each member, one after the other.

    Words that pick the kind of input have to be there.
    """
    found = []
    for sent in sent_inputs(step_type, is_full=is_full):
        members = sent if isinstance(sent, dict) else {}
        for name in members:
            try:
                found.append(echo_input(step_type, {**members, name: REFERENCE}))
            except InvalidRequestError:
                assert isinstance(members[name], str)
    return found


@table("is_full", [False, True], ids=["minimal", "full"])
@table("step_type", sorted({kind.step_type for kind in input_kinds()} & STEP_TYPES.keys()))
def test_a_step_that_waits_is_priced_and_shown(step_type: str, is_full: bool) -> None:
    for step_input in waiting_inputs(step_type, is_full=is_full):
        assert TYPES.cost(step_type, step_input).base >= 0
        assert all(isinstance(text, str) for text in TYPES.prompt_texts(step_type, step_input))
        output = TYPES.output(step_type, step_input, [], view=SEEN)
        assert output is None or not any(output.values())
