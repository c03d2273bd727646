"""Chat completions: the same for the same question, and of the shape that was asked for."""

import base64
import io
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from civitai_mock.domain.errors import JobError
from civitai_mock.generation.words.chat import chat_completion, conversation_of
from tests.support.v2_description import check_output

CREATED = 1_790_000_000
QUESTION: dict[str, Any] = {"model": "gpt-x", "messages": [{"role": "user", "content": "What is a fox?"}]}
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "legs": {"type": "integer", "minimum": 2, "maximum": 8}},
    "required": ["name", "legs"],
    "additionalProperties": False,
}
TOOLS = [
    {"type": "function", "function": {"name": "first", "parameters": {"type": "object"}}},
    {"type": "function", "function": {"name": "find_animal", "parameters": SCHEMA}},
    {"type": "function", "function": {"name": "no parameters"}},
]


def completed(**changes: Any) -> dict[str, Any]:
    answer = chat_completion(conversation_of({**QUESTION, **changes}), created=CREATED)
    check_output("chatCompletion", answer)
    return answer


def text_of(answer: dict[str, Any], index: int = 0) -> str:
    content = answer["choices"][index]["message"]["content"]
    assert isinstance(content, str)
    return content


def test_an_answer_repeats_the_question_and_is_always_the_same() -> None:
    assert "What is a fox?" in text_of(completed())
    assert completed() == completed()
    assert completed()["choices"][0]["finishReason"] == "stop"


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "gpt-y"},
        {"messages": [{"role": "user", "content": "What is a cat?"}]},
        {"messages": [{"role": "system", "content": "Be brief."}, *QUESTION["messages"]]},
        {"seed": 5},
    ],
)
def test_another_question_has_another_answer(changes: dict[str, Any]) -> None:
    assert text_of(completed(**changes)) != text_of(completed())
    assert completed(**changes)["id"] != completed()["id"]


def test_several_answers_differ() -> None:
    answer = completed(n=8)
    assert [choice["index"] for choice in answer["choices"]] == list(range(8))
    assert len({text_of(answer, index) for index in range(8)}) > 1


def test_very_many_answers_come_again() -> None:
    choices = completed(n=128)["choices"]
    assert [choice["index"] for choice in choices] == list(range(128))
    assert choices[0]["message"] == choices[16]["message"] == choices[112]["message"]


@pytest.mark.parametrize("count", [1, 128])
def test_answers_that_would_be_too_long_end_the_job(count: int) -> None:
    schema = {"type": "object", "required": [str(number) for number in range(2_000_000 // count // 20)]}
    form = {"type": "json_schema", "json_schema": {"name": "long", "schema": schema}}
    with pytest.raises(JobError, match="too long"):
        completed(n=count, response_format=form)


def test_tokens_are_counted() -> None:
    usage = completed()["usage"]
    assert usage["promptTokens"] == 4
    assert usage["totalTokens"] == usage["promptTokens"] + usage["completionTokens"]
    parts = [
        {"type": "text", "text": "What is a fox?"},
        {"type": "image_url", "imageUrl": {"url": "https://a.test/1.png"}},
    ]
    assert completed(messages=[{"role": "user", "content": parts}])["usage"]["promptTokens"] == 89
    assert "What is a fox?" in text_of(completed(messages=[{"role": "user", "content": parts}]))


def test_an_answer_ends_where_it_has_to() -> None:
    short = completed(maxTokens=3)
    assert len(text_of(short).split()) == 3
    assert short["choices"][0]["finishReason"] == "length"
    assert text_of(completed(stop=["fox"])).endswith("What is a ")
    assert text_of(completed(stop="was")) == "gpt-x "


@pytest.mark.parametrize("spelling", ["v2", "OpenAI"])
def test_json_follows_its_schema(spelling: str) -> None:
    described = {"name": "animal", "schema": SCHEMA}
    changes: dict[str, Any] = {"responseFormat": {"type": "json_schema", "jsonSchema": described}}
    if spelling == "OpenAI":
        changes = {"response_format": {"type": "json_schema", "json_schema": described}}
    for seed in range(5):
        Draft202012Validator(SCHEMA).validate(json.loads(text_of(completed(**changes, seed=seed, maxTokens=1))))


@pytest.mark.parametrize(
    "form", [{"type": "json_object"}, {"type": "json_schema", "jsonSchema": {"name": "animal", "schema": SCHEMA}}]
)
def test_json_that_was_asked_for_is_there_as_a_value_too(form: dict[str, Any]) -> None:
    answer = completed(responseFormat=form, n=2)
    assert answer["parsed"] == json.loads(text_of(answer, 0))


def test_nothing_is_parsed_that_is_no_json() -> None:
    assert "parsed" not in completed()
    assert "parsed" not in completed(responseFormat={"type": "text"})
    assert "parsed" not in completed(responseFormat={"type": "json_object"}, tools=TOOLS, tool_choice="required")


@pytest.mark.parametrize(
    ("drawn", "count", "size"),
    [
        ({}, 1, (1024, 1024)),
        ({"n": 3, "image_size": "0.5K"}, 3, (512, 512)),
        ({"aspect_ratio": "16:9", "image_size": "4K"}, 1, (5461, 3072)),
        ({"aspect_ratio": "3:4", "image_size": None}, 1, (887, 1182)),
    ],
)
def test_images_are_answered_where_they_are_asked_for(drawn: Any, count: int, size: tuple[int, int]) -> None:
    answer = completed(modalities=["image", "text"], image_config=drawn)
    message = answer["choices"][0]["message"]
    urls = [image["image_url"]["url"] for image in message["images"]]
    assert message["content"] == ""
    assert len(set(urls)) == count
    for url in urls:
        content = base64.b64decode(url.removeprefix("data:image/png;base64,"), validate=True)
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            assert (image.format, image.size) == ("PNG", size)
    assert answer == completed(modalities=["image", "text"], image_config=drawn)


def test_words_are_answered_by_who_draws_nothing() -> None:
    assert "images" not in completed(modalities=["text"])["choices"][0]["message"]


def test_some_json_is_an_object() -> None:
    assert isinstance(json.loads(text_of(completed(responseFormat={"type": "json_object"}))), dict)
    assert "fox" in text_of(completed(responseFormat={"type": "text"}))


@pytest.mark.parametrize("choice", [{"type": "function", "function": {"name": "find_animal"}}, "find_animal"])
def test_the_tool_that_is_named_is_called_with_arguments_that_it_takes(choice: Any) -> None:
    answer = completed(tools=TOOLS, tool_choice=choice)
    (called,) = answer["choices"][0]["message"]["tool_calls"]
    assert called["function"]["name"] == "find_animal"
    Draft202012Validator(SCHEMA).validate(json.loads(called["function"]["arguments"]))
    assert answer["choices"][0]["finishReason"] == "tool_calls"


def test_any_tool_is_called_where_one_is_required() -> None:
    (called,) = completed(tools=TOOLS, toolChoice="required")["choices"][0]["message"]["tool_calls"]
    assert called["function"] == {"name": "first", "arguments": "{}"}
    (called,) = completed(tools=TOOLS[2:], tool_choice="required")["choices"][0]["message"]["tool_calls"]
    assert called["function"] == {"name": "no parameters", "arguments": "{}"}


@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_no_tool_is_called_unasked(choice: str | None) -> None:
    assert "tool_calls" not in completed(tools=TOOLS, tool_choice=choice)["choices"][0]["message"]


def test_a_tool_that_is_not_there_ends_the_job() -> None:
    with pytest.raises(JobError, match="names no tool"):
        completed(tools=TOOLS, tool_choice="another")


@pytest.mark.parametrize(
    "schema", [{"properties": 5}, {"required": 3}, {"minimum": "x", "type": "integer"}, {"enum": 7}]
)
def test_a_schema_that_is_none_ends_the_job(schema: dict[str, Any]) -> None:
    with pytest.raises(JobError, match="JSON Schema cannot be used"):
        completed(responseFormat={"type": "json_schema", "jsonSchema": {"name": "x", "schema": schema}})


def test_a_conversation_without_a_question_is_answered_too() -> None:
    assert "nothing" in text_of(completed(messages=[{"role": "system", "content": "Be brief."}]))
    long = completed(messages=[{"role": "user", "content": "fox " * 100_000}])
    assert len(text_of(long)) < 400
    assert long["usage"]["promptTokens"] == 100_000


def test_an_answer_is_about_images_only_if_there_are_any() -> None:
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "imageUrl": {"url": "https://a.b/c"}}]
    assert "The image shows" not in text_of(completed())
    assert "The image shows" in text_of(completed(messages=[{"role": "user", "content": parts}]))
