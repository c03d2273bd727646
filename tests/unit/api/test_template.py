"""The template of a workflow: real request bodies, defaults, and what is wrong with others."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.api.v2.description.template import read_template
from civitai_mock.domain.cost import Tips
from civitai_mock.domain.errors import MOST_FAULTS, InvalidRequestError
from civitai_mock.domain.workflow_template import StepTemplate
from tests.support.paths import DATA
from tests.support.table import table

CAPTURES = DATA / "captures"
BODIES: list[Any] = [
    *(request["body"] for request in json.loads((CAPTURES / "v2-requests.json").read_text("utf-8"))),
    json.loads((CAPTURES / "v2-request-imagegen-sdcpp.json").read_text("utf-8")),
]
ECHO = {"$type": "echo", "input": {"message": "hi"}}


def _body(step: dict[str, Any] | None = None, **members: Any) -> Any:
    return {"steps": [ECHO | (step or {})]} | members


@pytest.mark.parametrize("body", BODIES, ids=[str(number) for number in range(len(BODIES))])
def test_what_real_clients_send_is_read_as_they_sent_it(body: Any) -> None:
    template = read_template(body)
    assert [step.type for step in template.steps] == [step["$type"] for step in body["steps"]]
    for step, sent in zip(template.steps, body["steps"], strict=True):
        assert isinstance(step.input, dict)
        assert sent["input"].items() <= step.input.items()


def test_what_is_left_out_has_a_default() -> None:
    template = read_template(_body())
    assert template.steps == [StepTemplate(type="echo", name="$0", input={"message": "hi"})]
    assert (template.tags, template.callbacks, template.currencies) == ((), (), ())
    assert (template.metadata, template.arguments) == ({}, {})
    assert template.tips == Tips(civitai=0, creators=0)
    assert template.upgrade_mode == "automatic"
    assert template.allow_mature_content is None
    assert template.external_id is None


def test_all_members_are_read() -> None:
    template = read_template(
        _body(
            {"name": "first", "priority": "High", "timeout": "00:21:00", "retries": 2, "metadata": {"a": None}},
            tags=["a", "b"],
            metadata={"x": [None, 1]},
            arguments={"mediaUrl": "https://example.com/a.png"},
            callbacks=[{"url": "http://localhost/?token=a b", "type": ["workflow:*"], "detailed": True}],
            currencies=["yellow", "BLUE"],
            tips={"civitai": 0, "creators": 0.25},
            upgradeMode="manual",
            allowMatureContent=False,
            nsfwLevel="pg13",
            experimental=True,
            ephemeral=True,
            externalId="order-17",
            workflowTemplate=None,
        )
    )
    (step,) = template.steps
    assert (step.name, step.priority, step.timeout, step.retries) == ("first", "high", timedelta(minutes=21), 2)
    assert step.metadata == {"a": None}
    assert template.metadata == {"x": [None, 1]}
    assert template.callbacks[0].url == "http://localhost/?token=a b"
    assert template.callbacks[0].detailed is True
    assert template.currencies == ("yellow", "blue")
    assert template.tips == Tips(civitai=0, creators=0.25)
    assert (template.upgrade_mode, template.nsfw_level, template.external_id) == ("manual", "pg13", "order-17")
    assert (template.allow_mature_content, template.experimental, template.is_ephemeral) == (False, True, True)


def test_the_type_may_stand_anywhere_in_a_step() -> None:
    assert read_template({"steps": [{"input": {"message": "hi"}, "$type": "echo"}]}).steps[0].type == "echo"


@table(
    ("body", "path"),
    [
        ({}, "steps"),
        ({"steps": []}, "steps"),
        ({"steps": None}, "$.steps"),
        ({"steps": {"0": ECHO}}, "$.steps"),
        ({"steps": [7]}, "$.steps[0]"),
        ({"steps": [{}]}, "steps[0].$type"),
        ({"steps": [{"$type": "nope", "input": {}}]}, "steps[0].$type"),
        ({"steps": [{"$type": "tryOnU", "input": {}}]}, "steps[0].$type"),
        ({"steps": [{"$type": 7, "input": {}}]}, "$.steps[0].$type"),
        ({"steps": [{"$type": "echo"}]}, "steps[0].input"),
        ({"steps": [{"$type": "echo", "input": None}]}, "steps[0].input"),
        ({"steps": [{"$type": "echo", "input": []}]}, "$.steps[0].input"),
        ({"steps": [{"$type": "echo", "input": {}}]}, "steps[0].input.message"),
        ({"steps": [{"$type": "imageUpload", "input": {}}]}, "$.steps[0].input"),
        ({"steps": [{"$type": "imageGen", "input": {"engine": "nope"}}]}, "steps[0].input.engine"),
        (_body({"name": ""}), "steps[0].name"),
        (_body({"priority": "urgent"}), "steps[0].priority"),
        (_body({"timeout": "soon"}), "steps[0].timeout"),
        (_body({"timeout": "00:00:00"}), "steps[0].timeout"),
        (_body({"retries": -1}), "steps[0].retries"),
        (_body({"retries": 1.5}), "$.steps[0].retries"),
        (_body({"metadata": []}), "$.steps[0].metadata"),
        (_body(tags=["a", "a"]), "tags"),
        (_body(tags=[str(number) for number in range(11)]), "tags"),
        (_body(tags=[""]), "tags[0]"),
        (_body(tags=["a" * 201]), "tags[0]"),
        (_body(currencies=["gold"]), "currencies[0]"),
        (_body(tips={"civitai": 0, "creators": 3}), "tips.creators"),
        (_body(tips={"civitai": 0}), "tips.creators"),
        (_body(externalId="a b"), "externalId"),
        (_body(externalId=""), "externalId"),
        (_body(externalId="a\n"), "externalId"),
        (_body(callbacks=[{"url": "https://example.com", "type": ["workflow:done"]}]), "callbacks[0].type[0]"),
        (_body(callbacks=[{"type": ["workflow:*"]}]), "callbacks[0].url"),
        (_body(upgradeMode="never"), "upgradeMode"),
        (_body(ephemeral="yes"), "$.ephemeral"),
        (_body(metadata=[]), "$.metadata"),
    ],
    ids=str,
)
def test_a_wrong_member_is_named_by_its_path(body: Any, path: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read_template(body)
    assert [name for name in caught.value.errors if name != "workflowTemplate"] == [path]


def test_a_body_that_cannot_be_bound_is_said_to_have_no_template() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read_template({"steps": 7})
    assert caught.value.errors["workflowTemplate"] == ["The workflowTemplate field is required."]
    with pytest.raises(InvalidRequestError) as caught:
        read_template({"steps": []})
    assert "workflowTemplate" not in caught.value.errors


def test_the_number_of_faults_is_bounded() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read_template({"steps": [7] * 100_000})
    assert len(caught.value.errors) <= MOST_FAULTS
    assert all(len(message) < 1000 for messages in caught.value.errors.values() for message in messages)


NAMES = ("steps", "tags", "metadata", "callbacks", "tips", "currencies", "externalId", "name", "$type", "input", "url")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=20,
)


@given(body=st.dictionaries(st.sampled_from(NAMES), JSON), step=st.dictionaries(st.sampled_from(NAMES), JSON))
def test_whatever_is_sent_is_read_or_refused(body: dict[str, Any], step: dict[str, Any]) -> None:
    bodies: list[Any] = [body, {"steps": [ECHO | step]} | body, {"steps": [step, ECHO]}]
    for sent in bodies:
        try:
            template = read_template(sent)
        except InvalidRequestError:
            continue
        assert template.steps
