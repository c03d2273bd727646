"""What is hidden of requests that are shown: it follows from its place, or from what is known to be secret."""

import time
from typing import Any

import pytest

from civitai_mock.domain.redaction import Redactor, secrets_pattern, without_token
from tests.support.table import table


@table(
    ("text", "shown"),
    [
        ("http://example.com/a?b=c", "http://example.com/a?b=c"),
        ("http://user:pass@example.com/a", "http://***@example.com/a"),
        ("http://user:p/a@s@example.com/a", "http://***@example.com/a"),
        ("see http://u:p@a.com and http://b.com/@x", "see http://***@a.com and http://***@x"),
        ("mail me@example.com, a://b", "mail me@example.com, a://b"),
        ("http://a.com/?sig=abc&exp=1", "http://a.com/?sig=***&exp=1"),
        ("http://a.com/?%73ig=abc&exp=1", "http://a.com/?%73ig=***&exp=1"),
        ("http://a.com/?X-Amz-Signature=abcd#part", "http://a.com/?X-Amz-Signature=***#part"),
        ("/hook?access_token=a%20b", "/hook?access_token=***"),
        ("/hook?key=abc&apiKey=def&monkey=1", "/hook?key=***&apiKey=***&monkey=1"),
        ("/hook?to=http%3A%2F%2Fu%3Ap%40b.com", "/hook?to=http%3A%2F%2F***%40b.com"),
        ("/hook?to=%2Fx%3Ftoken%3Dabc", "/hook?to=%2Fx%3Ftoken%3D***"),
        ("/v2/consumer/blobs/content/abc.def?x=1", "/v2/consumer/blobs/content/***?x=1"),
        ('{"token":"abc","jobs":[', '{"token":"***","jobs":['),
        ('{"a": "token", "my_password" : "x\\"y", "b": 1', '{"a": "token", "my_password" : "***", "b": 1'),
        ("why? a=b & c", "why? a=b & c"),
        ("tokens=3 of 4", "tokens=3 of 4"),
    ],
)
def test_texts_are_shown_without_what_is_secret_by_its_place(text: str, shown: str) -> None:
    assert Redactor().text(text) == shown


@table(
    ("value", "shown"),
    [
        ({"token": "abc", "cost": 1}, {"token": "***", "cost": 1}),
        ({"a": [{"apiKey": "abc"}]}, {"a": [{"apiKey": "***"}]}),
        ({"tokens": ["abc", "def"]}, {"tokens": ["***", "***"]}),
        ({"maxNewTokens": 100, "secret": None}, {"maxNewTokens": 100, "secret": None}),
        ({"credentials": {"user": "me", "password": "abc"}}, {"credentials": {"user": "me", "password": "***"}}),
        ({"callbackUrl": "http://u:p@a.com/?token=abc"}, {"callbackUrl": "http://***@a.com/?token=***"}),
        ({"errors": {"token": ["A token is required."]}}, {"errors": {"token": ["A token is required."]}}),
        ({"key": "value", "code": "x"}, {"key": "value", "code": "x"}),
        ([True, 1.5, "text"], [True, 1.5, "text"]),
    ],
)
def test_json_is_shown_without_its_secret_members(value: Any, shown: Any) -> None:
    assert Redactor().json(value) == shown


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("authorization", "Bearer abc", "***"),
        ("set-cookie", "a=b", "***"),
        ("x-mock-token", "abc", "***"),
        ("x-api-key", "abc", "***"),
        ("location", "http://a.com/v2/consumer/blobs/content/abc", "http://a.com/v2/consumer/blobs/content/***"),
        ("referer", "http://a.com/?sig=abc", "http://a.com/?sig=***"),
        ("accept", "*/*", "*/*"),
    ],
)
def test_headers_are_shown_without_secrets(name: str, value: str, shown: str) -> None:
    assert Redactor().header(name, value) == shown


def test_what_was_secret_in_a_request_is_hidden_in_its_answer() -> None:
    redactor = Redactor()
    assert redactor.path("/v1/consumer/jobs", b"token=abcdef") == "/v1/consumer/jobs?token=***"
    assert redactor.json({"detail": "Unknown: abcdef."}) == {"detail": "Unknown: ***."}


@pytest.mark.parametrize(
    ("secrets", "text", "shown"),
    [
        (["hunter2", "hunter22"], "is it hunter22 or xhunter2x?", "is it *** or x***x?"),
        (["ab"], "ab cab (ab)", "*** cab (***)"),
        (["", "***"], "nothing ***", "nothing ***"),
        (["a.c."], "abcd a.c.", "abcd ***"),
    ],
)
def test_known_secrets_are_hidden_wherever_they_stand(secrets: list[str], text: str, shown: str) -> None:
    redactor = Redactor(secrets_pattern(secrets))
    assert redactor.text(text) == shown
    assert redactor.json({text: [text]}) == {shown: [shown]}
    assert redactor.path(text, b"") == shown


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/v2/consumer/blobs/content/abc", "/v2/consumer/blobs/content/***"),
        ("//blobs//archive//abc/def", "//blobs//archive//***"),
        ("/blobs/ABC", "/blobs/ABC"),
    ],
)
def test_a_token_in_a_path_is_hidden(path: str, shown: str) -> None:
    assert without_token(path) == shown


@pytest.mark.parametrize(
    "text",
    [
        "://" * 20_000 + "@",
        "?a=" * 20_000,
        '"a"' + " " * 60_000,
        '"token' * 10_000,
        "%3Fa%3D%2525" * 5000,
        "/blobs/" * 9000,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    """A text of 64 kB takes some ms; what looks at each character again and again takes minutes."""
    began = time.process_time()
    Redactor().text("?x=" + text)
    assert time.process_time() - began < 2
