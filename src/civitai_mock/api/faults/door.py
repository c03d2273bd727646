"""Let faults hit a request: choose a rule, note it for the answer and the journal, and do what it says."""

from contextlib import suppress

from starlette.types import ASGIApp, Receive

from civitai_mock.api.body_budget import TooManyBodiesError
from civitai_mock.api.errors import BodyTimeoutError
from civitai_mock.api.exchange import Exchange
from civitai_mock.api.faults.faulty_answers import FaultyAnswer, Find, InvalidAnswer
from civitai_mock.api.faults.kept_body import KeptBody
from civitai_mock.api.faults.subject import read_subject
from civitai_mock.api.json_body import is_json
from civitai_mock.api.signed_requests import READING_METHODS
from civitai_mock.domain.fault_presets import Hook, Target


async def pass_faults(exchange: Exchange, receive: Receive, find: Find) -> tuple[ASGIApp, Receive]:
    """Return what answers a request, and what hands over its body; `find` returns what answers it without faults.

    What it asks for at another hook is left to those who come after, and goes with the jobs that it submits.
    """
    faults, asked = exchange.namespace.faults, None
    if exchange.asked_fault is not None and Hook.REQUEST in exchange.asked_fault.hooks:
        asked, exchange.asked_fault = exchange.asked_fault, None
    if asked is None and exchange.asked_fault is None and not faults.hits(Hook.REQUEST):
        return await find(exchange.scope, receive), receive
    context, needs = exchange.context, faults.needs(asked)
    body = KeptBody(receive, context.options, context.bodies)
    exchange.on_end = body.let_go
    subject = await read_subject(exchange, body, needs=needs)
    choice = await faults.choose(subject, asked=asked)
    exchange.looks = choice.looks
    if choice.rule is not None:
        exchange.note_fault(choice.rule.id)
        await _read_for_journal(exchange, body)
        return FaultyAnswer(exchange=exchange, rule=choice.rule, subject=subject, body=body, find=find), body.receive
    if exchange.asked_fault is not None and Target.SUBMIT in subject.targets:
        exchange.note_fault(exchange.asked_fault.id)
    if Target.INVALID in needs and not choice.has_winner:
        return InvalidAnswer(exchange=exchange, subject=subject, asked=asked, choice=choice, find=find), body.receive
    return await find(exchange.scope, body.receive), body.receive


async def _read_for_journal(exchange: Exchange, body: KeptBody) -> None:
    """Read a body that nobody else may read, as far as it comes, for the journal; it can do without files."""
    is_sent = exchange.recording is not None and exchange.method not in READING_METHODS
    if is_sent and is_json(exchange.header(b"content-type")):
        with suppress(BodyTimeoutError, TooManyBodiesError):
            await body.read()
