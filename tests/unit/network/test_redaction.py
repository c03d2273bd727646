"""Addresses in logs and messages, without their secrets."""

from civitai_mock.network.redaction import redacted
from tests.support.table import table


@table(
    ("text", "expected"),
    [
        ("http://gpu:8188", "http://gpu:8188"),
        ("gpu:8188", "gpu:8188"),
        ("http://me:secret@gpu:8188/x", "http://***@gpu:8188/x"),
        ("me:secret@gpu", "***@gpu"),
        ("http://me:sec,ret@gpu,http://a:secret@b", "http://***@gpu,http://***@b"),
        ("http://me:sec/ret@gpu", "http://***@gpu"),
        ("http://me:sec@ret@gpu", "http://***@gpu"),
        ("http://gpu/?token=secret", "http://gpu/?***"),
        ("http://gpu/#secret", "http://gpu/#***"),
        ("mongodb://me:se/cret@one,two/db?password=secret", "mongodb://***@one,two/db?***"),
    ],
)
def test_an_address_is_shown_without_its_secrets(text: str, expected: str) -> None:
    assert redacted(text) == expected
