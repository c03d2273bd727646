"""References of steps to other steps, to arguments and to the variable of a loop."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json
from civitai_mock.domain.references import (
    EmptyPathError,
    LinkedStep,
    NamedStep,
    link_steps,
    loop_variable,
    parse_path,
    print_path,
    references_in,
    resolved,
    value_at_path,
)
from tests.support.table import table

STEP: Json = {"output": {"images": [{"url": "u0"}, {"url": "u1"}], "errors": [], "none": None, "zero": 0, "no": False}}
NAMES = st.text(alphabet=st.characters(blacklist_characters=".[]", blacklist_categories=["Cs"]), min_size=1, max_size=4)
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
VALUES = st.recursive(
    SCALARS, lambda items: st.lists(items, max_size=3) | st.dictionaries(NAMES, items, max_size=3), max_leaves=8
)


def ref(source: str, path: str = "output.blob.url") -> Json:
    return {"$ref": source, "path": path}


def step(step_input: Json, *, name: str | None = None, step_type: str = "imageGen") -> NamedStep:
    return NamedStep(name=name, type=step_type, input=step_input)


def repeat(over: Json, template: Json, *, variable: str = "frame") -> Json:
    assert isinstance(over, dict)
    return {"for": {**over, "as": variable}, "template": template}


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("", ()),
        ("mediaUrl", ("mediaUrl",)),
        ("output.images[0].url", ("output", "images", 0, "url")),
        ("output.results[10][2].layerAir", ("output", "results", 10, 2, "layerAir")),
        ("[1].url", (1, "url")),
        ("a b.ü", ("a b", "ü")),
    ],
)
def test_a_path_is_read(path: str, parts: tuple[str | int, ...]) -> None:
    assert parse_path(path) == parts
    assert print_path(parts) == path


@table("path", [".", ".a", "a.", "a..b", "a[", "a[]", "a[x]", "a[-1]", "a]b", "a[0]b", "a[0", "a.[0]"])
def test_what_is_not_a_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is not a path"):
        parse_path(path)


@given(st.lists(NAMES | st.integers(0, 999), max_size=5))
def test_a_path_is_read_as_it_was_printed(parts: list[str | int]) -> None:
    assert parse_path(print_path(tuple(parts))) == tuple(parts)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("output.images[1].url", "u1"),
        ("output.images", [{"url": "u0"}, {"url": "u1"}]),
        ("output.errors", []),
        ("output.zero", 0),
        ("output.no", False),
        ("", STEP),
    ],
)
def test_a_path_leads_to_a_value(path: str, value: Json) -> None:
    assert value_at_path(STEP, path) == value


@pytest.mark.parametrize(
    "path", ["output.images[2].url", "output.none", "output.blob.url", "output[0]", "input", "output.images.url"]
)
def test_a_path_that_leads_to_nothing_says_so(path: str) -> None:
    with pytest.raises(EmptyPathError, match="There is no value at"):
        value_at_path(STEP, path)


@table(
    ("step_input", "places"),
    [
        ({"image": ref("gen")}, ["image"]),
        (ref("gen"), [""]),
        ({"loras": {"urn:air:x": ref("gen")}, "images": [1, ref("gen")]}, ["loras.urn:air:x", "images[1]"]),
        (
            {"resources": [ref("a"), ref("b")], "workflow": {"9": {"inputs": {"image": ref("c")}}}},
            ["resources[0]", "resources[1]", "workflow.9.inputs.image"],
        ),
        ({"schema": {"$ref": "#/definitions/thing"}}, []),
        ({"$ref": 7, "path": "x", "deeper": ref("gen")}, ["deeper"]),
        ({"$ref": "gen"}, [""]),
        ("text", []),
        (None, []),
    ],
)
def test_references_are_found_at_any_depth(step_input: Json, places: list[str]) -> None:
    assert [print_path(found.place) for found in references_in("imageGen", step_input)] == places


def test_a_loop_hides_its_variable_and_nothing_else() -> None:
    inner = repeat(
        ref("frame", "parts"), {"$type": "x", "input": [ref("part"), ref("frame"), ref("other")]}, variable="part"
    )
    step_input = repeat(ref("extract", "output.frames"), {"$type": "repeat", "input": inner})
    found = [(reference.source, print_path(reference.place)) for reference in references_in("repeat", step_input)]
    assert found == [("extract", "for"), ("other", "template.input.template.input[2]")]
    assert loop_variable(step_input) == "frame"


def test_only_a_repeat_has_a_template() -> None:
    step_input = repeat(ref("a"), {"$type": "x", "input": ref("frame")})
    assert [reference.source for reference in references_in("comfy", step_input)] == ["a", "frame"]


@pytest.mark.parametrize("template", [None, {}, 7, {"$type": "x"}])
def test_a_repeat_without_a_whole_template_is_like_any_input(template: Json) -> None:
    step_input: Json = {"for": {"$ref": "a", "as": "x"}, "template": template}
    assert [reference.source for reference in references_in("repeat", step_input)] == ["a"]
    assert resolved("repeat", step_input, {"a": 1}) == {"for": 1, "template": template}


def test_references_are_resolved_by_source() -> None:
    step_input: Json = {
        "image": ref("gen", "output.images[0].url"),
        "text": ref("$arguments", "text"),
        "rest": [ref("later")],
    }
    once = resolved("x", step_input, {"$arguments": {"text": "t"}})
    assert once == {"image": ref("gen", "output.images[0].url"), "text": "t", "rest": [ref("later")]}
    assert resolved("x", once, {"gen": STEP, "later": {"output": {"blob": {"url": "b"}}}}) == {
        "image": "u0",
        "text": "t",
        "rest": ["b"],
    }


def test_a_loop_keeps_its_variable_until_it_runs() -> None:
    template: Json = {
        "$type": "x",
        "name": "n",
        "input": {"image": ref("frame", "url"), "prompt": ref("$arguments", "p")},
    }
    step_input = repeat(ref("extract", "output.frames"), template)
    values: dict[str, Json] = {
        "extract": {"output": {"frames": [1]}},
        "frame": {"url": "never"},
        "$arguments": {"p": "q"},
    }
    result = resolved("repeat", step_input, values)
    assert result == {
        "for": [1],
        "template": {"$type": "x", "name": "n", "input": {"image": ref("frame", "url"), "prompt": "q"}},
    }


def test_an_empty_path_is_an_error_when_it_is_resolved() -> None:
    with pytest.raises(EmptyPathError):
        resolved("x", {"image": ref("gen", "output.images[7].url")}, {"gen": STEP})


def test_steps_are_named_and_linked() -> None:
    steps = [
        step({"mediaUrl": ref("$arguments", "urls[0]")}),
        step({"image": ref("$0"), "other": [ref("last"), ref("$0", "status")]}, name="hero"),
        step({"image": ref("$0")}, name="last"),
        step({"image": ref("$1"), "again": ref("hero")}),
    ]
    assert list(link_steps(steps, {"urls": ["u"]})) == [
        LinkedStep(name="$0", sources=()),
        LinkedStep(name="hero", sources=(0, 2)),
        LinkedStep(name="last", sources=(0,)),
        LinkedStep(name="$3", sources=(1,)),
    ]


def test_a_name_counts_more_than_a_place() -> None:
    steps = [step({}, name="first"), step({}, name="$0"), step(ref("$0"))]
    assert link_steps(steps, {})[2].sources == (1,)


@table(
    ("steps", "arguments", "paths"),
    [
        ([step({}, name="a"), step({}, name="b"), step({}, name="a")], {}, ["steps[2].name"]),
        ([step({}), step({}, name="$0")], {}, ["steps[1].name"]),
        ([step({"image": ref("nobody")})], {}, ["steps[0].input.image"]),
        ([step({"image": ref("$1")})], {}, ["steps[0].input.image"]),
        ([step({"image": ref("$00")})], {}, ["steps[0].input.image"]),
        ([step({"image": ref("$self")})], {}, ["steps[0].input.image"]),
        ([step(ref("nobody"))], {}, ["steps[0].input"]),
        ([step({"loras": {"x": [ref("$arguments", "a.b")]}})], {"a": {}}, ["steps[0].input.loras.x[0]"]),
        ([step({"a": ref("$0", "output..url"), "b": ref("y")})], {}, ["steps[0].input.a", "steps[0].input.b"]),
        ([step({"image": ref("$0")})], {}, ["steps[0].input.image"]),
        (
            [
                step({"image": ref("b")}, name="a"),
                step({"image": ref("c")}, name="b"),
                step({"x": [ref("a")]}, name="c"),
            ],
            {},
            None,
        ),
        (
            [
                step(
                    repeat(ref("$arguments", "list"), {"$type": "x", "input": {"image": ref("who")}}),
                    step_type="repeat",
                )
            ],
            {"list": []},
            ["steps[0].input.template.input.image"],
        ),
    ],
)
def test_faults_are_named_by_their_paths(steps: list[NamedStep], arguments: Json, paths: list[str] | None) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        link_steps(steps, arguments)
    if paths is None:  # any reference of the circle may be named
        (path,) = raised.value.errors
        assert path in {"steps[0].input.image", "steps[1].input.image", "steps[2].input.x[0]"}
    else:
        assert list(raised.value.errors) == paths


def test_a_long_chain_in_any_order_is_no_circle() -> None:
    count = 1000
    steps = [
        step(ref(f"$number-{index + 1}") if index + 1 < count else {}, name=f"$number-{index}")
        for index in range(count)
    ]
    assert [linked.sources for linked in link_steps(steps, {})][-2:] == [(count - 1,), ()]


@given(VALUES)
def test_an_input_without_references_stays_as_it_is(value: Json) -> None:
    assert json.dumps(resolved("x", value, {})) == json.dumps(value)
    assert list(references_in("x", value)) == []


@given(VALUES, st.lists(NAMES, max_size=3), VALUES.filter(lambda value: value is not None))
def test_a_reference_is_replaced_wherever_it_stands(value: Json, place: list[str], found: Json) -> None:
    at: Json = ref("source", "value")
    expected = found
    for name in reversed(place):
        at, expected = {name: at, "other": value}, {name: expected, "other": value}
    assert resolved("x", at, {"source": {"value": found}}) == expected
