"""Choose what goes wrong with a stream, by the rules of its namespace or because the request asks for it."""

from dataclasses import replace

from starlette.requests import Request

from civitai_mock.api.context import exchange
from civitai_mock.api.faults.subject import find_route, request_subject
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.fault_presets import Hook
from civitai_mock.domain.faults.actions import PresetEffect, PresetWord
from civitai_mock.domain.json_types import as_number


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFault:
    """Says that a stream is deaf, or how many of its events are missing."""

    is_deaf: bool
    gap: int


async def chosen_fault(request: Request) -> StreamFault | None:
    """Return what goes wrong with the stream that a request asks for, and note it for the answer and the journal."""
    found = exchange(request)
    faults, asked = found.namespace.faults, found.asked_fault
    if asked is not None and Hook.STREAM not in asked.hooks:
        asked = None
    if asked is None and not faults.hits(Hook.STREAM):
        return None
    route = find_route(request.app.each_route(), request.scope)
    subject = request_subject(
        method=found.method,
        path=request.scope["path"],
        query=request.scope["query_string"],
        headers=found.headers,
        route=None if route is None else route.path_format,
    )
    choice = await faults.choose(replace(subject, hook=Hook.STREAM), asked=asked)
    found.note_looks(choice.looks)
    if choice.rule is None:
        return None
    found.note_fault(choice.rule.id)
    words = {effect.word: effect.value for effect in choice.rule.action.effects if isinstance(effect, PresetEffect)}
    return StreamFault(is_deaf=PresetWord.DEAF in words, gap=int(as_number(words.get(PresetWord.GAP)) or 0))
