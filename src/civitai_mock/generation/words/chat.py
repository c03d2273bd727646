"""Chat completions: an answer that repeats the question, or JSON of the shape and the call of the tool asked for."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import JobError
from civitai_mock.domain.json_types import Json, JsonObject, as_list, as_number, as_object, as_text
from civitai_mock.generation.placeholder_results import caption, seeded_random, small_png
from civitai_mock.generation.schema_values import build_value

CHARACTERS_OF_A_TOKEN = 4  # on average, in English
TOKENS_OF_AN_IMAGE = 85
MOST_REPEATED = 200  # characters of the question
MOST_DIFFERENT = 16  # choices
MOST_CHARACTERS = 2_000_000  # of all of them
WORD = re.compile(r"\s*\S+")
UNUSABLE = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError)
TEXT, JSON_OBJECT, JSON_SCHEMA = "text", "json_object", "json_schema"
IMAGE = "image"
USUAL_SIDE = 1024
SIDES: Mapping[str, int] = {"0.5K": 512, "1K": 1024, "2K": 2048, "4K": 4096}
RATIOS: Mapping[str, tuple[int, int]] = {
    f"{width}:{height}": (width, height) for width, height in ((1, 1), (16, 9), (9, 16), (4, 3), (3, 4), (21, 9))
}
NO_TOOL, ANY_TOOL = "none", "required"
REMARKS = (
    "That depends on what you have in mind.",
    "There is more than one good answer.",
    "Begin with the simplest case, and go on from there.",
    "It is worth a closer look.",
    "Most people would start with an example.",
    "The short answer is yes.",
    "Opinions differ, and for good reasons.",
    "It has been asked before, in other words.",
    "Much of it can be measured.",
    "A drawing would say more.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Is a request for a chat completion; messages, tools and formats are as OpenAI has them.

    A `seed` makes another answer. `answer_schema` is a JSON Schema that the answer has to follow; `is_json` asks for
    some object. `tool_choice` names a tool, or is `required`, `auto` or `none`. So many `images` are answered beside a
    text without words, with sides in pixels.
    """

    model: str
    messages: Sequence[Mapping[str, Any]]
    seed: int | None = None
    count: int = 1
    max_tokens: int | None = None
    stop: Sequence[str] = ()
    is_json: bool = False
    answer_schema: Mapping[str, Any] | None = None
    tools: Sequence[Mapping[str, Any]] = ()
    tool_choice: str | None = None
    images: int = 0
    image_size: tuple[int, int] = (USUAL_SIDE, USUAL_SIDE)


def conversation_of(body: Mapping[str, Any]) -> Conversation:
    """Read an input of v2's chatCompletion, or a body of OpenAI's, whose members are spelled with underscores."""
    form = as_object(_either(body, "responseFormat", "response_format"))
    kind = as_text(form.get("type"))
    described = as_object(_either(form, "jsonSchema", "json_schema"))
    stop, drawn = body.get("stop"), as_object(body.get("image_config"))
    return Conversation(
        model=as_text(body.get("model")),
        messages=[message for message in as_list(body.get("messages")) if isinstance(message, dict)],
        seed=body.get("seed"),
        count=body.get("n") or 1,
        max_tokens=_either(body, "maxTokens", "max_tokens") or body.get("max_completion_tokens"),
        stop=[stop] if isinstance(stop, str) else [as_text(word) for word in as_list(stop)],
        is_json=kind == JSON_OBJECT,
        answer_schema=as_object(described.get("schema")) if kind == JSON_SCHEMA else None,
        tools=[tool for tool in as_list(body.get("tools")) if isinstance(tool, dict)],
        tool_choice=_tool_choice(_either(body, "toolChoice", "tool_choice")),
        images=int(as_number(drawn.get("n")) or 1) if IMAGE in as_list(body.get("modalities")) else 0,
        image_size=_image_size(as_text(drawn.get("aspect_ratio")), as_text(drawn.get("image_size"))),
    )


def chat_completion(conversation: Conversation, *, created: int) -> JsonObject:
    """Return the output of v2's chatCompletion; `created` is in seconds since 1970.

    Of very many choices the first ones come again. Raise `JobError` for a schema that no value can be made of, and for
    answers that would be too long.
    """
    question, made, lengths = _digest(conversation), list[JsonObject](), list[int]()
    for index in range(min(conversation.count, MOST_DIFFERENT)):
        made.append(_choice(conversation, question, index))
        lengths.append(len(json.dumps(made[-1]["message"])))
        if lengths[-1] * conversation.count > MOST_CHARACTERS:
            raise JobError(f"The answers would be too long: they would have more than {MOST_CHARACTERS} characters.")
    choices = [{**made[index % MOST_DIFFERENT], "index": index} for index in range(conversation.count)]
    asked = sum(_tokens_of(message.get("content")) for message in conversation.messages)
    answered = sum(_tokens_in(lengths[index % MOST_DIFFERENT]) for index in range(conversation.count))
    facts = {"promptTokens": asked, "completionTokens": answered, "totalTokens": asked + answered}
    return {
        "id": f"chatcmpl-{seeded_random('id', question).getrandbits(96):024x}",
        "object": "chat.completion",
        "created": created,
        "model": conversation.model,
        "choices": [*choices],
        "usage": {**facts},
        **_parsed(conversation, made[0]),
    }


def _parsed(conversation: Conversation, choice: JsonObject) -> JsonObject:
    """Return the JSON that was asked for as a value, to whose members other steps refer (official client)."""
    text = as_object(choice["message"]).get("content")
    is_json = conversation.is_json or conversation.answer_schema is not None
    return {"parsed": json.loads(text)} if is_json and isinstance(text, str) else {}


def _digest(conversation: Conversation) -> str:
    """Return a text that is the same for the same question."""
    facts = [conversation.model, [dict(message) for message in conversation.messages], conversation.seed]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _choice(conversation: Conversation, question: str, index: int) -> JsonObject:
    seed = f"{question} {index}"
    tool = _called_tool(conversation)
    if tool is not None:
        message: JsonObject = {"role": "assistant", "content": None, "tool_calls": [_tool_call(tool, seed)]}
        return {"index": index, "message": message, "finishReason": "tool_calls"}
    if conversation.images:
        message = {"role": "assistant", "content": "", "images": [*_drawn(conversation, seed)]}
        return {"index": index, "message": message, "finishReason": "stop"}
    text, reason = _answer(conversation, seed)
    return {"index": index, "message": {"role": "assistant", "content": text}, "finishReason": reason}


def _answer(conversation: Conversation, seed: str) -> tuple[str, str]:
    """Return the text, and why it ends there; JSON is never cut, as nobody could read it then."""
    if conversation.answer_schema is not None:
        return json.dumps(_built(conversation.answer_schema, seed), ensure_ascii=False), "stop"
    sentence = f"{_repeated(conversation)} {_remark(conversation, seeded_random(seed))}"
    if conversation.is_json:
        return json.dumps({"answer": sentence}, ensure_ascii=False), "stop"
    ends = [place for place in (sentence.find(word) for word in conversation.stop if word) if place >= 0]
    text = sentence[: min(ends, default=len(sentence))]
    words = WORD.findall(text)
    if conversation.max_tokens is not None and len(words) > conversation.max_tokens:
        return "".join(words[: conversation.max_tokens]), "length"
    return text, "stop"


def _drawn(conversation: Conversation, seed: str) -> Iterator[JsonObject]:
    """Yield images as data URLs, as OpenRouter has them (documentation of the real service)."""
    for number in range(conversation.images):
        image = small_png(*conversation.image_size, seeded_random("image", seed, str(number)))
        yield {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(image).decode()}"}}


def _image_size(ratio: str, name: str) -> tuple[int, int]:
    """Return the sides of an image of about as many pixels as a square of that name."""
    width, height = RATIOS.get(ratio, (1, 1))
    side = SIDES.get(name, USUAL_SIDE)
    return round(side * (width / height) ** 0.5), round(side * (height / width) ** 0.5)


def _repeated(conversation: Conversation) -> str:
    """Return a sentence that shows which question it answers."""
    asked = [message for message in conversation.messages if message.get("role") in {"user", "tool"}]
    text = _text_of(asked[-1].get("content")).strip() if asked else ""
    cut = text if len(text) <= MOST_REPEATED else f"{text[:MOST_REPEATED]}…"
    return f"{conversation.model} was asked: “{cut}”." if cut else f"{conversation.model} was asked nothing."


def _remark(conversation: Conversation, random: Random) -> str:
    """Return sentences that look like an answer: about the images, if there are any."""
    has_images = any(_images(message.get("content")) for message in conversation.messages)
    return caption(random) if has_images else " ".join(random.sample(REMARKS, 2))


def _called_tool(conversation: Conversation) -> Mapping[str, Any] | None:
    """Return the tool that has to be called: the one that is named, or the first one where any will do."""
    functions = [as_object(tool.get("function")) for tool in conversation.tools]
    if conversation.tool_choice in {None, "auto", NO_TOOL}:
        return None
    wanted = [one for one in functions if conversation.tool_choice in {ANY_TOOL, one.get("name")}]
    if not wanted:
        raise JobError(f"tool_choice names no tool of the request; found '{conversation.tool_choice}'.")
    return wanted[0]


def _tool_call(function: Mapping[str, Any], seed: str) -> JsonObject:
    parameters = as_object(function.get("parameters"))
    schema = {"type": "object", "properties": {}} | parameters
    arguments = _built(schema, seed)
    called: JsonObject = {"name": as_text(function.get("name")), "arguments": json.dumps(arguments, ensure_ascii=False)}
    call_id = f"call_{seeded_random('call', seed).getrandbits(96):024x}"
    return {"id": call_id, "type": "function", "function": called}


def _built(schema: Mapping[str, Any], seed: str) -> Json:
    try:
        return build_value(schema, seed=seed).value
    except UNUSABLE as error:
        raise JobError(f"The JSON Schema cannot be used: {type(error).__name__}: {error}.") from error


def _tool_choice(choice: Any) -> str | None:
    if isinstance(choice, dict):
        return as_text(as_object(choice.get("function")).get("name")) or as_text(choice.get("name")) or None
    return as_text(choice) or None


def _either(body: Mapping[str, Any], name: str, other: str) -> Any:
    value = body.get(name)
    return body.get(other) if value is None else value


def _text_of(content: Any) -> str:
    """Return the text of a message, whose content may be in parts."""
    if isinstance(content, str):
        return content
    return " ".join(as_text(part.get("text")) for part in as_list(content) if isinstance(part, dict))


def _images(content: Any) -> Sequence[Mapping[str, Any]]:
    return [part for part in as_list(content) if isinstance(part, dict) and not as_text(part.get("text"))]


def _tokens_of(content: Any) -> int:
    return _tokens_in(len(_text_of(content))) + len(_images(content)) * TOKENS_OF_AN_IMAGE


def _tokens_in(characters: int) -> int:
    return -(-characters // CHARACTERS_OF_A_TOKEN)
