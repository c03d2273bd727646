"""What is expected of requests holds or not, whatever went from the journal, and says how near they came."""

from typing import Any

import pytest

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.fault_presets import Hook
from civitai_mock.domain.faults.conditions import FaultSubject
from civitai_mock.domain.near_misses import NearMiss, near_misses
from civitai_mock.domain.verification import Findings, Seen, Verdict, find, judge, parse_expectation, parse_match
from tests.support.table import table

PASSES, FAILS, INCOMPLETE = "passes", "fails", "incomplete"


def _seen(number: int, method: str = "GET", *, is_whole: bool = True, **known: Any) -> Seen:
    subject = FaultSubject(hook=Hook.REQUEST, method=method, **known)
    return Seen(id=f"{number:04}", method=method, path="/v1/x", subject=subject, is_whole=is_whole)


def _requests(text: str) -> list[Seen]:
    """Return a request for each letter: G is a GET, P a POST, and X a POST whose body is unknown."""
    return [
        _seen(number, "GET" if letter == "G" else "POST", is_whole=letter != "X", types=("a",) if letter == "P" else ())
        for number, letter in enumerate(text)
    ]


def _verdict(expected: Any, text: str, *, is_whole: bool = True) -> Verdict:
    expectation = parse_expectation(expected)
    return judge(expectation, find(expectation, _requests(text), is_whole=is_whole))


def _outcome(verdict: Verdict) -> str:
    return PASSES if verdict.passes else INCOMPLETE if verdict.is_incomplete else FAILS


POST: Any
GET: Any
TYPED: Any
POST, GET, TYPED = {"method": "post"}, {"method": "GET"}, {"$type": "a"}


@table(
    ("expected", "text", "outcome", "after_drops"),
    [
        ({}, "", FAILS, INCOMPLETE),
        ({}, "G", PASSES, PASSES),
        ({"match": POST}, "G", FAILS, INCOMPLETE),
        ({"match": POST}, "GPP", PASSES, PASSES),
        ({"match": POST, "count": 2}, "GPP", PASSES, INCOMPLETE),
        ({"match": POST, "count": 1}, "GPP", FAILS, FAILS),
        ({"match": POST, "count": 3}, "GPP", FAILS, INCOMPLETE),
        ({"match": POST, "count": 0}, "GG", PASSES, INCOMPLETE),
        ({"match": POST, "count": 0}, "GP", FAILS, FAILS),
        ({"count": {"min": 2}}, "GP", PASSES, PASSES),
        ({"count": {"min": 3}}, "GP", FAILS, INCOMPLETE),
        ({"count": {"max": 2}}, "GP", PASSES, INCOMPLETE),
        ({"count": {"max": 1}}, "GP", FAILS, FAILS),
        ({"count": {"min": 1, "max": 1}}, "G", PASSES, INCOMPLETE),
        ({"order": [POST, GET]}, "PG", PASSES, PASSES),
        ({"order": [POST, GET]}, "GPPG", PASSES, PASSES),
        ({"order": [POST, GET]}, "GP", FAILS, INCOMPLETE),
        ({"order": [GET, GET]}, "G", FAILS, INCOMPLETE),
        ({"order": [GET, GET]}, "GPG", PASSES, PASSES),
        ({"match": POST, "order": [GET]}, "G", FAILS, INCOMPLETE),
        ({"match": POST, "count": 0, "order": [POST]}, "GP", FAILS, FAILS),
        ({"match": POST, "count": 5, "order": [GET]}, "PPP", FAILS, INCOMPLETE),
    ],
)
def test_what_went_from_the_journal_makes_nothing_pass(
    expected: Any, text: str, outcome: str, after_drops: str
) -> None:
    assert _outcome(_verdict(expected, text)) == outcome
    assert _outcome(_verdict(expected, text, is_whole=False)) == after_drops


@table(
    ("expected", "text", "outcome"),
    [
        ({"match": TYPED, "count": 1}, "PX", INCOMPLETE),
        ({"match": TYPED, "count": 2}, "PX", INCOMPLETE),
        ({"match": TYPED, "count": 3}, "PX", FAILS),
        ({"match": TYPED, "count": 0}, "PX", FAILS),
        ({"match": TYPED, "count": {"max": 2}}, "PX", PASSES),
        ({"match": TYPED}, "PX", PASSES),
        ({"match": TYPED}, "GX", INCOMPLETE),
        ({"match": {**TYPED, "method": "PUT"}}, "GX", FAILS),
        ({"match": POST, "count": 2}, "PX", PASSES),
        ({"order": [TYPED, GET]}, "XG", INCOMPLETE),
        ({"order": [GET, TYPED]}, "PG", FAILS),
    ],
)
def test_a_body_that_is_unknown_makes_nothing_pass(expected: Any, text: str, outcome: str) -> None:
    assert _outcome(_verdict(expected, text)) == outcome


@table(
    ("expected", "text", "is_final"),
    [
        ({"count": 2}, "G", False),
        ({"count": 2}, "GG", True),
        ({"count": 2}, "GGG", True),
        ({"count": 0}, "", False),
        ({"count": 0}, "G", True),
        ({"count": {"max": 1}}, "G", False),
        ({"count": {"max": 1}}, "GG", True),
        ({"count": {"min": 1, "max": 5}}, "G", True),
        ({"order": [POST, GET]}, "P", False),
        ({"order": [POST, GET]}, "PG", True),
    ],
)
def test_a_wait_ends_when_no_request_can_change_what_was_found(expected: Any, text: str, is_final: bool) -> None:
    assert _verdict(expected, text).is_final is is_final


def test_what_several_processes_found_is_put_together_in_the_order_of_the_requests() -> None:
    expectation = parse_expectation({"count": 4, "order": [POST, GET, POST, GET]})
    first, second = _requests("PGPG")[::2], _requests("PGPG")[1::2]
    found = [find(expectation, each, is_whole=True) for each in (second, first)]
    told = [Findings.of(each.document()) for each in found]
    assert told == found
    assert judge(expectation, Findings.of_all(told, is_whole=True)).passes
    assert judge(expectation, Findings.of_all(told, is_whole=False)).is_incomplete


@table(
    ("expected", "paths"),
    [
        ([], {"$"}),
        ({"matches": {}}, {"matches"}),
        ({"match": {"methid": "GET"}}, {"match.methid"}),
        ({"match": {"attempt": 1}}, {"match.attempt"}),
        ({"match": {"prompt": {"pattern": "("}}}, {"match.prompt.pattern"}),
        ({"count": -1}, {"count"}),
        ({"count": "3"}, {"count"}),
        ({"count": {}}, {"count"}),
        ({"count": {"min": 3, "max": 2}}, {"count.max"}),
        ({"count": {"most": 2}}, {"count.most"}),
        ({"order": []}, {"order"}),
        ({"order": [{"metod": "GET"}, {"attempt": 2}]}, {"order[0].metod", "order[1].attempt"}),
        ({"order": [{}] * 101}, {"order"}),
        ({"within": "soon"}, {"within"}),
        ({"within": "11m"}, {"within"}),
    ],
)
def test_what_is_misspelt_is_told_by_its_path(expected: Any, paths: set[str]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_expectation(expected)
    assert set(caught.value.errors) == paths


def test_an_unknown_route_is_told_with_the_nearest() -> None:
    expected: Any = {"match": {"route": "/v1/job"}, "order": [{"route": "/v1/jobs"}]}
    with pytest.raises(InvalidRequestError) as caught:
        parse_expectation(expected, routes=["/v1/jobs"])
    ((path, (message,)),) = caught.value.errors.items()
    assert path == "match.route"
    assert "Did you mean '/v1/jobs'?" in message


@pytest.mark.parametrize(
    ("match", "known", "difference"),
    [
        ({"method": "PUT"}, {}, "match.method: expected 'PUT', found 'GET'"),
        ({"route": "/v1/a"}, {}, "match.route: expected '/v1/a', found none"),
        ({"$type": "a"}, {"types": ("b", "c")}, "match.$type: expected 'a', found 'b', 'c'"),
        ({"model": "a"}, {"models": ()}, "match.model: expected 'a', found none"),
        ({"ecosystem": "sd1"}, {"ecosystems": ("sdxl",)}, "match.ecosystem: expected 'sd1', found 'sdxl'"),
        (
            {"prompt": {"contains": "fox"}},
            {"prompts": ("a cat",)},
            "match.prompt: expected a text with 'fox', found 'a cat'",
        ),
        ({"prompt": {"pattern": "^f"}}, {"prompts": ("cat",)}, "match.prompt: expected the pattern '^f', found 'cat'"),
        ({"imageGiven": True}, {"image_given": None}, "match.imageGiven: expected true, found false"),
        ({"header": {"A": "1"}}, {"headers": {"a": "2"}}, "match.header.a: expected '1', found '2'"),
        ({"header": {"A": "1"}}, {}, "match.header.a: expected '1', found none"),
        ({"header": {"a": "1", "b": "2"}}, {"headers": {"a": "1"}}, "match.header.b: expected '2', found none"),
        ({"method": "GET"}, {}, "it matches"),
    ],
)
def test_the_first_difference_says_what_was_expected_and_what_was_found(
    match: Any, known: Any, difference: str
) -> None:
    (near,) = near_misses("match", parse_match(match), [_seen(1, **known)], hide=lambda _, value: value)
    assert near.difference == difference


def test_the_nearest_meet_most_conditions_and_are_the_youngest_of_those() -> None:
    match = parse_match({"method": "POST", "$type": "a", "header": {"x": "1"}})
    seen = [_seen(1, "POST", types=("a",)), *(_seen(number) for number in range(2, 9)), _seen(9, "POST"), _seen(10)]
    found = near_misses("order[2]", match, seen, hide=lambda _, value: value)
    assert [near.id for near in found] == ["0001", "0009", "0010"]
    assert found[1].difference == "order[2].$type: expected 'a', found none"
    assert [NearMiss.of(near.document()) for near in found] == found


def test_secrets_are_hidden_in_a_difference() -> None:
    match = parse_match({"header": {"x-token": "abc"}})
    (near,) = near_misses("match", match, [_seen(1, headers={"x-token": "def"})], hide=lambda name, _: f"({name})")
    assert near.difference == "match.header.x-token: expected '(x-token)', found '(x-token)'"
