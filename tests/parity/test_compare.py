"""The comparison itself sees what it has to see."""

from typing import Any

from tests.parity.compare import Difference, Kind, differences
from tests.support.table import table


@table(
    ("real", "ours", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {}, [("a", Kind.MISSING)]),
        ({}, {"a": None}, [("a", Kind.ADDED)]),
        ({"a": 1}, {"A": 1}, [("a", Kind.MISSING), ("A", Kind.ADDED)]),
        ({"a": True}, {"a": 1}, [("a", Kind.TYPE)]),
        ({"a": "1"}, {"a": 1}, [("a", Kind.TYPE)]),
        ({"a": {}}, {"a": []}, [("a", Kind.TYPE)]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, [("", Kind.ORDER)]),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, [("a.b[]", Kind.VALUE)]),
        ({"a": [1]}, {"a": [1, 1]}, [("a", Kind.VALUE)]),
        ("2025-09-06T18:18:42.7889903Z", "2026-01-01T00:00:00.0000000Z", [("", Kind.VALUE)]),
        ("2025-09-06T18:18:42.7889903Z", "2026-01-01T00:00:00.000000Z", [("", Kind.FORM)]),
        ("00:00:12.0816066", "00:00:12.081606", [("", Kind.FORM)]),
        ("A" * 64, "a" * 64, [("", Kind.FORM)]),
    ],
)
def test_a_difference_is_found_where_it_is(real: Any, ours: Any, found: list[Difference]) -> None:
    assert list(differences(real, ours)) == found
