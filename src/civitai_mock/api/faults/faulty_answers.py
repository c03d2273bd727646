"""Answers as rules of faults say: late, other than they would be, broken, or none."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TypeAlias, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from civitai_mock.api.broken_connection import break_off
from civitai_mock.api.errors import error_response
from civitai_mock.api.exchange import Exchange
from civitai_mock.api.faults import broken_answers
from civitai_mock.api.faults.broken_answers import START, Edit, EditedJson, HalfBody
from civitai_mock.api.faults.json_edits import (
    cut,
    edited,
    in_early_access,
    with_insufficient_buzz,
    with_status,
    with_unknown_members,
)
from civitai_mock.api.faults.kept_body import KeptBody
from civitai_mock.api.faults.refusals import early_access, insufficient_buzz, response_of
from civitai_mock.api.vocabulary import ResultFormat
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.delays import FixedDelay
from civitai_mock.domain.errors import MockError
from civitai_mock.domain.fault_presets import V2, Target
from civitai_mock.domain.faults.actions import Answer, Broken, DelayAnswer, Hang, PresetEffect, PresetWord, SlowDrip
from civitai_mock.domain.faults.choice import Choice
from civitai_mock.domain.faults.conditions import FaultSubject
from civitai_mock.domain.faults.rules import FaultRule
from civitai_mock.domain.json_types import Json, as_text

Find: TypeAlias = Callable[[Scope, Receive], Awaitable[ASGIApp]]
E = TypeVar("E")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultyAnswer:
    """Is an ASGI app that answers one request as a rule says; `find` returns what answers it without."""

    exchange: Exchange
    rule: FaultRule
    subject: FaultSubject
    body: KeptBody
    find: Find

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._hold_back()
        resets, refusal = Broken.RESET in self.rule.action.effects, self._refusal(Request(scope))
        if not resets and refusal is None:
            await self._answer_changed(scope, receive, send)
            return
        if self.rule.action.accepted:
            answer = await found_answer(self.find, scope, receive)
            await answer(scope, receive, _discard)
        if resets or refusal is None:
            await break_off(scope, send, resets=True, has_begun=False)
        else:
            await send_refusal(self.exchange, refusal, receive)

    async def _hold_back(self) -> None:
        """Wait as long as the rule says; raise `ClientDisconnect` if the caller goes away first."""
        hang, delay = self._effect(Hang), self._effect(DelayAnswer)
        seconds = hang.lasts.total_seconds() if hang else 0.0
        if delay is not None:
            seconds += await self._drawn_seconds(delay)
        if seconds > 0:
            async with self.body.watched() as given_up:
                await self.exchange.namespace.held_answers.hold(seconds, given_up)
                if given_up.done():
                    raise ClientDisconnect

    async def _drawn_seconds(self, effect: DelayAnswer) -> float:
        if isinstance(effect.delay, FixedDelay):
            return effect.delay.duration.total_seconds()
        return effect.delay.draw(await self.exchange.namespace.faults.stream(self.rule)).total_seconds()

    def _refusal(self, request: Request) -> Response | None:
        """Return what is answered in place of the normal answer; None where that is only changed."""
        answer = self._effect(Answer)
        if answer is not None:
            return response_of(answer, request, self.subject)
        words, targets = self._words(), self.subject.targets
        if PresetWord.INSUFFICIENT_BUZZ in words and not self._is_what_if_of_v2():
            return insufficient_buzz(request, self.subject)
        if PresetWord.EARLY_ACCESS in words and Target.RESOURCE not in targets:
            return early_access(request, self.subject, self.rule.match.model)
        return None

    async def _answer_changed(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (wanted := self._words().get(PresetWord.RESULT_AS)) is not None:
            self.exchange.result_format = ResultFormat(as_text(wanted))
        for edit in self._edits():
            send = EditedJson(send, edit).send
        if self.exchange.method != "HEAD":  # which has no body on the wire
            send = self._breaking(scope, send)
        answer = await found_answer(self.find, scope, receive)
        await answer(scope, receive, send)

    def _breaking(self, scope: Scope, send: Send) -> Send:
        """Return what sends an answer whose body breaks on its way."""
        if Broken.HALF_BODY in self.rule.action.effects:
            return HalfBody(scope, send).send
        drip, held = self._effect(SlowDrip), self.exchange.namespace.held_answers
        if drip is None:
            return send
        dripping = broken_answers.SlowDrip(send, speed=drip.bytes_per_second, held=held, watched=self.body.watched)
        return dripping.send

    def _edits(self) -> list[Edit]:
        """Return what changes the JSON of the answer."""
        found: list[Edit] = []
        words = self._words()
        if PresetWord.STATUS_ONLY in words:
            found.append(partial(with_status, int(str(words[PresetWord.STATUS_ONLY]))))
        if PresetWord.EXTRA_MEMBERS in words:
            found.append(edited(with_unknown_members))
        if PresetWord.INSUFFICIENT_BUZZ in words:
            found.append(edited(with_insufficient_buzz))
        if PresetWord.EARLY_ACCESS in words:
            found.append(edited(in_early_access))
        if Broken.BAD_JSON in self.rule.action.effects:
            found.append(cut)
        return found

    def _is_what_if_of_v2(self) -> bool:
        return self.subject.version == V2 and Target.WHAT_IF in self.subject.targets

    def _words(self) -> Mapping[PresetWord, Json]:
        effects = self.rule.action.effects
        return {effect.word: effect.value for effect in effects if isinstance(effect, PresetEffect)}

    def _effect(self, kind: type[E]) -> E | None:
        return next((effect for effect in self.rule.action.effects if isinstance(effect, kind)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidAnswer:
    """Is an ASGI app that answers as ever, but for a 400, which rules about wrong requests may change.

    Whether a request is wrong is known once it was answered: so these rules are looked at after all others.
    """

    exchange: Exchange
    subject: FaultSubject
    asked: FaultRule | None
    choice: Choice
    find: Find

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal: Response | None = None

        async def send_unless_changed(message: Message) -> None:
            nonlocal refusal
            if message["type"] == START and message["status"] == HTTPStatus.BAD_REQUEST:
                refusal = await self._refusal(Request(scope))
            if refusal is None:
                await send(message)

        answer = await found_answer(self.find, scope, receive)
        await answer(scope, receive, send_unless_changed)
        if refusal is not None:
            await send_refusal(self.exchange, refusal, receive)

    async def _refusal(self, request: Request) -> Response | None:
        exchange, faults = self.exchange, self.exchange.namespace.faults
        subject = replace(self.subject, targets={*self.subject.targets, Target.INVALID})
        choice = await faults.choose(subject, asked=self.asked, about=Target.INVALID, before=self.choice)
        exchange.looks = choice.looks
        if choice.rule is None:
            return None
        exchange.note_fault(choice.rule.id)
        answers = [effect for effect in choice.rule.action.effects if isinstance(effect, Answer)]
        return response_of(answers[0], request, subject)


async def found_answer(find: Find, scope: Scope, receive: Receive) -> ASGIApp:
    """Return the normal answer, which may be an error."""
    try:
        return await find(scope, receive)
    except MockError as error:
        return error_response(Request(scope), error)


async def send_refusal(exchange: Exchange, refusal: Response, receive: Receive) -> None:
    """Send an answer whose headers come before those that go with each answer."""
    own = {name for name, _ in refusal.raw_headers}
    exchange.answer_headers = [header for header in exchange.answer_headers if header[0].lower() not in own]
    await refusal(exchange.scope, receive, exchange.send)


async def _discard(_: Message) -> None:
    """Send nothing: the answer is lost."""
