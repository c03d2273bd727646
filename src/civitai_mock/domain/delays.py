"""Delays: how long something takes, which is fixed, drawn from a range, or log-normal by its median and its p99."""

from datetime import timedelta
from math import exp, log
from random import Random
from typing import TypeAlias

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.durations import LONGEST, parse_duration
from civitai_mock.domain.errors import fault
from civitai_mock.domain.json_types import Json
from civitai_mock.domain.nearest import unknown_name

Z99 = 2.3263478740408408  # 99 of 100 values of a normal distribution are below so many standard deviations
RANGE, LOG_NORMAL = ("min", "max"), ("p50", "p99")
EXPECTED = 'expected a duration like "2s", {"min", "max"} or {"p50", "p99"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedDelay:
    """Takes as long each time."""

    duration: timedelta

    def draw(self, _: Random) -> timedelta:
        return self.duration


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeDelay:
    """Takes anything between two durations; each is as likely."""

    least: timedelta
    most: timedelta

    def draw(self, stream: Random) -> timedelta:
        return self.least + (self.most - self.least) * stream.random()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogNormalDelay:
    """Takes less than `p50` half of the time, and more than `p99` once in a hundred times."""

    p50: timedelta
    p99: timedelta

    def draw(self, stream: Random) -> timedelta:
        median = log(self.p50.total_seconds())
        deviation = (log(self.p99.total_seconds()) - median) / Z99
        return min(timedelta(seconds=exp(median + deviation * stream.gauss())), LONGEST)


Delay: TypeAlias = FixedDelay | RangeDelay | LogNormalDelay


def parse_delay(value: Json, *, path: str) -> Delay:
    """Read a delay; raise `InvalidRequestError` with the path of what is wrong."""
    if not isinstance(value, dict):
        return FixedDelay(duration=_duration(value, path))
    members = set(value)
    for name in sorted(members - {*RANGE, *LOG_NORMAL}):
        raise fault(f"{path}.{name}", unknown_name("member", name, [*RANGE, *LOG_NORMAL]))
    if members not in (set(RANGE), set(LOG_NORMAL)):
        raise fault(path, f"{EXPECTED}; found {', '.join(sorted(members)) or 'nothing'}.")
    first, second = RANGE if members == set(RANGE) else LOG_NORMAL
    durations = {name: _duration(value[name], f"{path}.{name}") for name in (first, second)}
    if durations[first] > durations[second]:
        raise fault(f"{path}.{first}", f"{first} must be at most {second}; found '{value[first]}', '{value[second]}'.")
    if members == set(RANGE):
        return RangeDelay(least=durations[first], most=durations[second])
    if not durations[first]:
        raise fault(f"{path}.{first}", f"{first} must be more than 0.")
    return LogNormalDelay(p50=durations[first], p99=durations[second])


def _duration(value: Json, path: str) -> timedelta:
    if not isinstance(value, str):
        raise fault(path, f"{EXPECTED}; found {value!r:.100}.")
    try:
        return parse_duration(value)
    except ValueError as error:
        raise fault(path, f"{error}; found '{value[:100]}'.") from error
