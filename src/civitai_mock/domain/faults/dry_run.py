"""What a rule of faults would have hit: it is held against requests that have been answered."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from civitai_mock.domain.fault_presets import Hook, Target
from civitai_mock.domain.faults.choice import first_failed
from civitai_mock.domain.faults.conditions import OF_BODY, OF_WORK, FaultSubject
from civitai_mock.domain.faults.rules import FaultRule, parse_rule
from civitai_mock.domain.json_types import Json, JsonObject, as_object

BAD_REQUEST = 400
AUTHORIZATION = "authorization"
READING = ("GET", "HEAD")
BLOB_ROUTES = ("/blobs/", "/v2/consumer/blobs/")
ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
TIMELESS = ("enabled", "forSeconds", "until")  # of a rule that is only tried: it is on, and has no end


def parse_tried_rule(document: Json) -> FaultRule:
    """Return a rule that was read before as it is tried."""
    tried: JsonObject = {name: member for name, member in as_object(document).items() if name not in TIMELESS}
    return parse_rule(tried, rule_id="", set_at=ANY_TIME)


def would_match(rule: FaultRule, subject: FaultSubject, *, status: int) -> bool:
    """Return whether a rule matches a request that was answered with this status.

    A rule about jobs or their callbacks matches the submission of the job, as does one about blobs that asks for what
    the job is; any other one about blobs matches those who asked for one.
    """
    return any(first_failed(held, met, ANY_TIME) is None for held, met in _meetings(rule, subject, status))


def hit_ids(rule: FaultRule, matched: Sequence[str]) -> Sequence[str]:
    """Return the matches, of all in their order, that it is the rule's turn to hit, whatever the dice say."""
    turns = [match for number, match in enumerate(matched, 1) if rule.scope.is_turn(number)]
    return turns if rule.scope.times is None else turns[: rule.scope.times]


def needs_work(rule: FaultRule) -> bool:
    """Return whether it depends on the body of a submission what this hits."""
    return not OF_BODY.isdisjoint(rule.needs)


def _meetings(rule: FaultRule, subject: FaultSubject, status: int) -> Iterator[tuple[FaultRule, FaultSubject]]:
    """Yield what would have come of a request at each hook of a rule, with the rule as far as that can be known."""
    hooks, is_accepted = rule.hooks, Target.SUBMIT in subject.targets and status < BAD_REQUEST
    if Hook.REQUEST in hooks:
        invalid = {Target.INVALID} if status == BAD_REQUEST else set()
        with_token = {Target.WITH_TOKEN} if AUTHORIZATION in subject.headers else set()  # its value was not kept
        yield rule, replace(subject, targets={*subject.targets, *invalid, *with_token})
    for hook in hooks & {Hook.JOB, Hook.CALLBACK} if is_accepted else ():
        yield rule, replace(subject, hook=hook, attempt=1)
    if Hook.BLOB in hooks and rule.match.conditions.isdisjoint(OF_WORK):
        if (subject.route or "").startswith(BLOB_ROUTES) and subject.method in READING:
            yield rule, replace(subject, hook=Hook.BLOB)
    elif Hook.BLOB in hooks and is_accepted:
        of_job = replace(rule.match, method=None, route=None, headers={})
        yield replace(rule, match=of_job), replace(subject, hook=Hook.BLOB)
