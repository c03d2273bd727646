"""What users of A1111 write, in ComfyUI's notation."""

import re
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.networks.kinds import MOST_TAGS, read_tags
from civitai_mock.generation.prompts.a1111 import DEEPEST, SYNTAX, comfyui_text
from civitai_mock.generation.work import GraphWork
from tests.support.generation import MODELS, graph_of, spec_of, work_of
from tests.support.table import table

BRACKET = re.compile(r"\\[()\[\]]|[()\[\]]")


def request(prompt: str, negative: str = "", ecosystem: str = "sd1") -> JsonObject:
    return {"model": MODELS[ecosystem], "params": {"prompt": prompt, "negativePrompt": negative}}


@table(
    ("text", "expected"),
    [
        ("[a] b", "(a:0.909) b"),
        ("[[a]]", "((a:0.826):0.909)"),
        ("([a])", "((a:1))"),
        ("[a (b) c]", "(a (b) c:0.909)"),
        ("[a (b:1.2) c]", "(a (b:1.091) c:0.909)"),
        ("(x [a] y:1.5)", "(x (a:1.364) y:1.5)"),
        ("[x: y]", "(x: y:0.909)"),
        ("[embedding:bad]", "(embedding:bad:0.909)"),
        (r"\[a\] \(b\)", r"[a] \(b\)"),
        (r"[a \] b]", "(a ] b:0.909)"),
        ("[a|b] [c]", "[a|b] (c:0.909)"),
        ("[a:b:0.5]", "[a:b:0.5]"),
        ("[a:10]", "[a:10]"),
        ("[[a]:b:0.5]", "[[a]:b:0.5]"),
        ("[]", "[]"),
        ("[a (b]", "[a (b]"),
        ("(a [b)", "(a [b)"),
        ("[a ) b]", "[a ) b]"),
        ("[a", "[a"),
        ("a]", "a]"),
        ("((a)) (b:1.3)", "((a)) (b:1.3)"),
    ],
)
def test_square_brackets_become_weights(text: str, expected: str) -> None:
    assert comfyui_text(text) == expected


@pytest.mark.parametrize("text", ["a fox", " a,, fox ,", r"(a) ((b:1.2)) \(c\)", "BREAKERS on a beach", "a|b:c", ""])
def test_a_text_without_syntax_of_a1111_stays_as_it_is(text: str) -> None:
    assert comfyui_text(text) == text


@pytest.mark.parametrize("sign", SYNTAX)
def test_each_sign_of_a1111_has_a_text_that_it_changes(sign: str) -> None:
    """None can be left out of those that a text is looked through for."""
    text = {"<": "a <lora:x> b", "[": "[a]", "]": r"a \]", "BREAK": "a BREAK b"}[sign]
    assert comfyui_text(text) != text


@table(
    ("text", "expected"),
    [
        ("a fox, <lora:x:1>, snow", "a fox, snow"),
        ("a <LoRA:x> fox <lyco:y:2> x <hypernet:z:0.5>", "a fox x"),
        ("<lora:x> a fox", "a fox"),
        ("a\n<lora:x>\nb", "a\nb"),
        ("a<lora:x>b", "ab"),
        ("(a <lora:x>)", "(a)"),
        ("<lora:x>", ""),
        ("a <b> <style:x> < lora:x >", "a <b> <style:x> < lora:x >"),
        ("a BREAK b", "a, b"),
        ("BREAK a, BREAK, b BREAK", "a, b"),
        ("BREAKING break", "BREAKING break"),
        ("a AND b", "a AND b"),
    ],
)
def test_tags_and_breaks_are_taken_out(text: str, expected: str) -> None:
    assert comfyui_text(text) == expected


@given(st.text(st.characters(exclude_characters="[]<\\")).filter(lambda text: "BREAK" not in text))
def test_a_text_without_such_syntax_stays_as_it_is(text: str) -> None:
    assert comfyui_text(text) == text


@given(st.text(st.sampled_from("[]()\\:|ab 1.")))
def test_no_conversion_opens_a_bracket_that_it_does_not_close(text: str) -> None:
    def balance(of: str) -> int:
        signs = [found[0] for found in BRACKET.finditer(of)]
        return signs.count("(") - signs.count(")")

    assert balance(comfyui_text(text)) == balance(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 30_000 + "a" + "]" * 30_000,
        "(" * 30_000 + ")" * 30_000,
        "([" * 15_000 + "a" + "])" * 15_000,
        "(" * 60_000,
        "[(a:" + "1" * 60_000 + "x)]",
        "[a:" + " " * 60_000 + "]",
        "(a:1)" * 12_000,
        "<lora:" * 10_000,
        " " * 60_000,
        "[a:" * 20_000,
        "BREAK " * 10_000,
    ],
    ids=lambda text: text[:8],
)
def test_any_length_and_depth_is_converted_into_what_comfyui_can_read(text: str) -> None:
    """Three times the longest prompt takes a tenth of a second; if that grew by the square, it would take ten."""
    started = process_time()
    converted = comfyui_text(text)
    assert process_time() - started < 3
    assert depth_of(converted) <= DEEPEST


def depth_of(text: str) -> int:
    """How deep ComfyUI's calls go: one for each pair of brackets within another."""
    open_at, deepest = 0, 0
    closed = text.count(")")
    for sign in (sign for sign in BRACKET.findall(text) if closed and sign in {"(", ")"}):
        open_at = open_at + 1 if sign == "(" else max(open_at - 1, 0)
        deepest = max(deepest, open_at)
    return deepest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]" * 9_000, None),
        ("[(a:" + "9" * 400 + ")]", "((a:1000000):0.909)"),
        ("[(a:-" + "9" * 400 + ")]", "((a:-1000000):0.909)"),
        ("(" * (DEEPEST + 2) + "a" + ")" * (DEEPEST + 2), "(" * DEEPEST + "a" + ")" * DEEPEST),
        ("(" * DEEPEST + r"\(a\)" + ")" * DEEPEST, None),
        ("(" * (DEEPEST + 1) + "a", None),
    ],
    ids=["empty", "most", "least", "too deep", "deep enough", "never closed"],
)
def test_weights_and_depth_stay_within_what_comfyui_can_use(text: str, expected: str | None) -> None:
    assert comfyui_text(text) == (text if expected is None else expected)


@table(
    ("tag", "model", "text"),
    [
        ("<lora:x>", 1, 1),
        ("<lora:x:0.8>", 0.8, 0.8),
        ("<lora:x:0.6:0.8>", 0.8, 0.6),
        ("<lora:x:te=0.5:unet=1>", 1, 0.5),
        ("<lora:x:te=0.5>", 0.5, 0.5),
        ("<lora:x:0.8:TE=0>", 0, 0),
        ("<lora:x:unet=0.3>", 0.3, 1),
        ("<lyco: x : -2 :dyn=3>", -2, -2),
    ],
)
def test_strengths_are_read_by_place_or_by_name(tag: str, model: float, text: float) -> None:
    (applied,) = read_tags(tag).applied
    network = applied.network
    assert (network.file_name, network.strength, network.text_strength) == ("x", model, text)


@pytest.mark.parametrize("ecosystem", MODELS)
def test_tags_load_networks_in_their_order_behind_the_others(ecosystem: str) -> None:
    other = f"urn:air:{ecosystem}:lora:civitai:1@11"
    prompt = "a fox <lora:first:0.6:0.8> <hypernet:second:0.5> <lora:first>"
    graph = graph_of({**request(prompt, ecosystem=ecosystem), "additionalNetworks": {other: {}}})
    loaded = [
        node["inputs"] for node in graph.values() if str(node["class_type"]) in {"LoraLoader", "HypernetworkLoader"}
    ]
    chain = [
        {name: value for name, value in inputs.items() if not isinstance(value, list)}
        for inputs in loaded
        if isinstance(inputs, dict)
    ]
    assert chain[1:] == [
        {"lora_name": "first", "strength_model": 0.8, "strength_clip": 0.6},
        {"hypernetwork_name": "second", "strength": 0.5},
        {"lora_name": "first", "strength_model": 1, "strength_clip": 1},
    ]


def test_tags_of_the_negative_text_only_go() -> None:
    graph = graph_of(request("a fox", "ugly <lora:x:what>"))
    texts = [node["inputs"]["text"] for node in graph.values() if node["class_type"] == "CLIPTextEncode"]  # type: ignore[index,call-overload]
    assert texts == ["a fox", "ugly"]
    assert not any(node["class_type"] == "LoraLoader" for node in graph.values())


def test_the_stored_prompt_is_the_users_own() -> None:
    stored = spec_of(request("[a] <lora:x:1> BREAK b"))["params"]
    assert isinstance(stored, dict)
    assert stored["prompt"] == "[a] <lora:x:1> BREAK b"


@table(
    ("tag", "reason"),
    [
        ("<lora:x:0,8>", "'0,8' is not a number."),
        ("<lora:x:strong>", "'strong' is not a number."),
        ("<lora:x:80%>", "'80%' is not a number."),
        ("<lora:x:>", "'' is not a number."),
        ("<lora:x:1@0.5>", "'1@0.5' is not a number."),
        ("<lora:x:1:much>", "'much' is not a number."),
        ("<lora:x:te=1:unet=?>", "'?' is not a number."),
        ("<lora:x:nan>", "'nan' is not a number."),
        ("<lora:x:-inf>", "'-inf' is not a number."),
        ("<lora:x:1e999>", "'1e999' is not a number."),
        ("<lora:x:1000000000>", "The strength of a Lora must be from -100 to 100; found 1000000000."),
        ("<lora:x:1:-101>", "The strength of a Lora must be from -100 to 100; found -101."),
        ("<hypernet:x:11>", "The strength of a Hypernetwork must be from -10 to 10; found 11."),
        ("<lora::1>", "It does not name a file."),
        ("<lora: :1>", "It does not name a file."),
        ("<lora:>", "It does not name a file."),
    ],
)
def test_a_tag_that_cannot_be_applied_is_left_out_with_its_reason(tag: str, reason: str) -> None:
    prompt = f"a fox, {tag}, snow {tag}"
    assert comfyui_text(prompt) == "a fox, snow"
    assert graph_of(request(prompt)) == graph_of(request("a fox, snow"))
    work = work_of(request(prompt))
    assert isinstance(work, GraphWork)
    assert [(ignored.tag, ignored.reason) for ignored in work.ignored_tags] == [(tag, reason)]


def test_tags_beyond_the_most_are_left_out_and_do_not_count_those_that_say_nothing() -> None:
    tags = [f"<lora:{number}>" for number in range(MOST_TAGS + 2)]
    found = read_tags("<lora::1>" * 5 + "".join(tags))
    assert [applied.tag for applied in found.applied] == tags[:MOST_TAGS]
    assert [ignored.tag for ignored in found.ignored] == ["<lora::1>", *tags[MOST_TAGS:]]


def test_a_trigger_word_is_text_as_well() -> None:
    networks: JsonObject = {"urn:air:sd1:lora:civitai:1@11": {"triggerWord": "(" * 5_000 + "a" + ")" * 5_000}}
    graph = graph_of({**request("a fox"), "additionalNetworks": networks})
    texts = [str(node["inputs"]) for node in graph.values() if node["class_type"] == "CLIPTextEncode"]
    assert max(map(depth_of, texts)) == DEEPEST


def test_a_tag_is_found_by_the_node_that_loads_what_it_asks_for() -> None:
    work = work_of({**request("<lora:x><hypernet:y>"), "additionalNetworks": {"urn:air:sd1:lora:civitai:1@11": {}}})
    assert isinstance(work, GraphWork)
    assert work.tags == {"LoraLoader_1": "<lora:x>", "HypernetworkLoader": "<hypernet:y>"}
