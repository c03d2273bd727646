"""What users of A1111 write, as ComfyUI is told it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json import JsonObject
from civitai_mock.generation.network_tags import MOST_TAGS, networks_in
from civitai_mock.generation.prompts.syntax import comfyui_text
from tests.support.generation import MODELS, graph_of, plan

BRACKET = re.compile(r"\\[()\[\]]|[()\[\]]")


def request(prompt: str, negative: str = "", ecosystem: str = "sd1") -> JsonObject:
    return {"model": MODELS[ecosystem], "params": {"prompt": prompt, "negativePrompt": negative}}


@pytest.mark.parametrize(
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


@pytest.mark.parametrize(
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


@pytest.mark.parametrize("text", ["[" * 10_000 + "a" + "]" * 10_000, " " * 20_000, "[a:" * 6_000, "BREAK " * 3_000])
def test_any_length_and_depth_is_converted(text: str) -> None:
    assert comfyui_text(text).count("(") == text.count("]")


@pytest.mark.parametrize(
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
    ((_, network),) = networks_in(tag)
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
    stored = plan(request("[a] <lora:x:1> BREAK b")).request["params"]
    assert isinstance(stored, dict)
    assert stored["prompt"] == "[a] <lora:x:1> BREAK b"


@pytest.mark.parametrize(
    "prompt",
    [
        "<lora:x:101>",
        "<lora:x:1:-101>",
        "<hypernet:x:11>",
        "<lora:x:much>",
        "<lora:x:nan>",
        "<lora::1>",
        "<lora:x>" * (MOST_TAGS + 1),
    ],
)
def test_what_cannot_be_applied_is_refused_where_it_stands(prompt: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        plan(request(prompt))
    assert set(refused.value.errors) == {"params.prompt"}
