"""What a rule does: plain actions on requests, jobs, blobs and callbacks, and what presets make of them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.delays import Delay, parse_delay
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.fault_presets import Hook
from civitai_mock.domain.json_types import Json
from civitai_mock.domain.members import Members
from civitai_mock.domain.stages import Stage

MOST_HEADERS = 50
MOST_RESULTS = 1000
MOST_BYTES_PER_SECOND = 1_000_000
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
HEADER_VALUE = re.compile(r"[\t\x20-\x7e]{0,4000}")
FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})


class Broken(StrEnum):
    """Names what breaks an answer on its way."""

    RESET = "reset"  # the connection is reset before the answer
    HALF_BODY = "halfBody"
    BAD_JSON = "badJson"


class JobFate(StrEnum):
    """Names what becomes of a job, where nothing more is to be said."""

    EXPIRE_CLAIM = "expireClaim"
    LOSE = "lose"
    NO_RESULT = "noResult"


class BlobState(StrEnum):
    """Names what has become of a blob."""

    EXPIRED = "expired"
    LOST = "lost"


class CallbackMishap(StrEnum):
    """Names what becomes of a callback."""

    DUPLICATE = "duplicate"
    REORDER = "reorder"
    DROP = "drop"


class PresetWord(StrEnum):
    """Names what only presets do; what their values mean is said in the docs of each."""

    STATUS_ONLY = "statusOnly"
    RESULT_AS = "resultAs"
    ODD_STATUS = "oddStatus"
    ODD_PROVIDER = "oddProvider"
    EXTRA_MEMBERS = "extraMembers"
    FLOOD = "flood"
    COLD_START = "coldStart"
    OUTAGE = "outage"
    PREEMPT = "preempt"
    REPRICE_CANCELED = "repriceCanceled"
    CENSOR = "censor"
    INSUFFICIENT_BUZZ = "insufficientBuzz"
    BLOCK = "block"
    MATURE = "mature"
    EARLY_ACCESS = "earlyAccess"
    IGNORE_REDIRECT = "ignoreRedirect"
    DEAF = "deaf"
    GAP = "gap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Answers a request in place of the normal answer; without a body with a problem document, which has the detail."""

    status: int
    body: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class DelayAnswer:
    """Lets a request wait before it is answered."""

    delay: Delay


@dataclass(frozen=True, slots=True)
class Hang:
    """Accepts a request and is silent for so long."""

    lasts: timedelta


@dataclass(frozen=True, slots=True)
class SlowDrip:
    """Sends the body of an answer at this speed."""

    bytes_per_second: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailJob:
    """Fails a job at a stage, as ComfyUI tells of a node that failed; what is not said is not in its context."""

    stage: Stage | None = None
    error: str | None = None
    message: str | None = None
    node_id: str | None = None
    class_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectJob:
    """Has the worker refuse a job, `late` after it began."""

    is_late: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class StickJob:
    """Keeps a job in a stage until it expires."""

    stage: Stage


@dataclass(frozen=True, slots=True)
class PartialResult:
    """Lets a job succeed with so many results, if it has more."""

    available: int


@dataclass(frozen=True, slots=True)
class Late:
    """Keeps a blob away, or a callback back, for so long."""

    delay: Delay


@dataclass(frozen=True, slots=True)
class SilentBlob:
    """Accepts a GET of a blob and says nothing, for so long if that is said."""

    lasts: timedelta | None = None


@dataclass(frozen=True, slots=True)
class PresetEffect:
    """Is what no plain action does."""

    word: PresetWord
    value: Json


Effect: TypeAlias = (
    Answer
    | DelayAnswer
    | Hang
    | SlowDrip
    | Broken
    | FailJob
    | RejectJob
    | StickJob
    | PartialResult
    | JobFate
    | Late
    | SilentBlob
    | BlobState
    | CallbackMishap
    | PresetEffect
)
Reader: TypeAlias = Callable[[Members, str], Effect | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Is what a rule does: several effects together only in presets. `accepted` carries the request out before."""

    hooks: frozenset[Hook]
    effects: Sequence[Effect]
    accepted: bool = False

    @property
    def only_looks(self) -> bool:
        return not self.effects and not self.accepted


NO_ACTION = Action(hooks=frozenset(Hook), effects=())  # stands for one that was refused

LOOK_AT_REQUESTS = Action(hooks=frozenset({Hook.REQUEST}), effects=())
LOOK_AT_JOBS = Action(hooks=frozenset({Hook.JOB}), effects=())


def read_action(members: Members, name: str) -> Action:
    """Read the action of a rule: exactly one."""
    inner = members.inner(name)
    word = None if inner is None else inner.exactly_one(*PLAIN_ACTIONS)
    if inner is None or word is None:
        return NO_ACTION
    hooks, read = PLAIN_ACTIONS[word]
    effect = read(inner, word)
    return NO_ACTION if effect is None else Action(hooks=hooks, effects=(effect,))


def read_preset_action(members: Members, *, hook: Hook) -> Action:
    """Read the action of a preset with its params in it: what is false there is not done."""
    effects: list[Effect | None] = []
    for word, (_, read) in PLAIN_ACTIONS.items():
        if word in members and members.value(word) is not False:
            effects.append(read(members, word))
    effects += [PresetEffect(word, members.value(word)) for word in PresetWord if word in members]
    accepted = members.flag("accepted") or False
    detail = members.text("detail")
    found = [_with_detail(effect, detail) for effect in effects if effect is not None]
    return Action(hooks=frozenset({hook}), effects=tuple(found), accepted=accepted)


def _with_detail(effect: Effect, detail: str | None) -> Effect:
    if detail is None or not isinstance(effect, Answer):
        return effect
    return Answer(status=effect.status, body=effect.body, headers=effect.headers, detail=detail)


def _read_answer(members: Members, name: str) -> Answer | None:
    status = members.whole(name, least=200, most=599)
    headers, body = _read_answer_headers(members), members.value("body")
    return None if status is None else Answer(status=status, body=body, headers=headers)


def _read_answer_headers(members: Members) -> Mapping[str, str]:
    inner = members.inner("headers")
    if inner is None:
        return {}
    if len(inner.names) > MOST_HEADERS:
        inner.note("", f"Expected at most {MOST_HEADERS} headers.")
    found = {}
    for name in inner.names:
        value = inner.value(name)
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if name.lower() in FRAMING:
            inner.note(name, f"The header {name} follows from the body; expected another one.")
        elif not HEADER_NAME.fullmatch(name) or not isinstance(text, str) or not HEADER_VALUE.fullmatch(text):
            inner.note(name, "Expected a header with a value of printable ASCII characters.")
        else:
            found[name] = text
    return found


def _read_delay(members: Members, name: str) -> Delay | None:
    try:
        return parse_delay(members.value(name), path=members.path_of(name))
    except InvalidRequestError as error:
        members.note_all(error)
        return None


def _delay_answer(members: Members, name: str) -> Effect | None:
    delay = _read_delay(members, name)
    return None if delay is None else DelayAnswer(delay)


def _late(members: Members, name: str) -> Effect | None:
    delay = _read_delay(members, name)
    return None if delay is None else Late(delay)


def _hang(members: Members, name: str) -> Effect | None:
    lasts = members.duration(name)
    return None if lasts is None else Hang(lasts)


def _slow_drip(members: Members, name: str) -> Effect | None:
    speed = members.whole(name, least=1, most=MOST_BYTES_PER_SECOND)
    return None if speed is None else SlowDrip(speed)


def _fail(members: Members, name: str) -> Effect | None:
    inner = members.inner(name)
    if inner is None:
        return None
    return FailJob(
        stage=inner.word("stage", Stage),
        error=inner.text("error"),
        message=inner.text("message"),
        node_id=inner.text("nodeId"),
        class_type=inner.text("classType"),
    )


def _reject(members: Members, name: str) -> Effect | None:
    is_late = name == "lateReject"
    if members.value(name) is True:
        return RejectJob(is_late=is_late)
    inner = members.inner(name)
    return None if inner is None else RejectJob(is_late=is_late, reason=inner.text("reason"))


def _stick(members: Members, name: str) -> Effect | None:
    if members.value(name) is True:
        return StickJob(Stage.CLAIMED)
    stage = members.word(name, Stage)
    return None if stage is None else StickJob(stage)


def _partial(members: Members, name: str) -> Effect | None:
    available = members.whole(name, least=0, most=MOST_RESULTS)
    return None if available is None else PartialResult(available)


def _silent(members: Members, name: str) -> Effect | None:
    if members.value(name) is True:
        return SilentBlob()
    lasts = members.duration(name)
    return None if lasts is None else SilentBlob(lasts)


def _just(effect: Effect) -> Reader:
    """Return what reads an action that is only there: `true`."""

    def read(members: Members, name: str) -> Effect | None:
        if members.flag(name) is False:
            members.note(name, "Expected true; a rule is switched off by its member 'enabled'.")
            return None
        return effect

    return read


REQUESTS, JOBS = frozenset({Hook.REQUEST}), frozenset({Hook.JOB})
BLOBS, CALLBACKS = frozenset({Hook.BLOB}), frozenset({Hook.CALLBACK})
PLAIN_ACTIONS: Mapping[str, tuple[frozenset[Hook], Reader]] = {
    "delay": (REQUESTS, _delay_answer),
    "hang": (REQUESTS, _hang),
    "status": (REQUESTS, _read_answer),
    **{word.value: (REQUESTS, _just(word)) for word in Broken},
    "slowDrip": (REQUESTS, _slow_drip),
    "fail": (JOBS, _fail),
    "reject": (JOBS, _reject),
    "lateReject": (JOBS, _reject),
    "stick": (JOBS, _stick),
    "partial": (JOBS, _partial),
    **{word.value: (JOBS, _just(word)) for word in JobFate},
    "late": (BLOBS | CALLBACKS, _late),
    **{word.value: (BLOBS, _just(word)) for word in BlobState},
    "silent": (BLOBS, _silent),
    **{word.value: (CALLBACKS, _just(word)) for word in CallbackMishap},
}
