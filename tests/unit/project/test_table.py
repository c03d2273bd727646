"""Tests of a table say of each row that fails which one it is."""

import pytest

from tests.support.table import table


def test_all_rows_that_fail_are_named() -> None:
    @table("number", [1, 2, 3])
    def is_odd(number: int) -> None:
        assert number % 2

    with pytest.raises(BaseExceptionGroup, match="1 of 3 rows failed") as failed:
        is_odd()
    assert [failure.__notes__ for failure in failed.value.exceptions] == [["in row 1: 2"]]


def test_a_row_may_have_several_members_and_a_name() -> None:
    @table(("first", "second"), [(1, 1), (1, 2), (3, 4)], ids=["equal", "smaller", "another"])
    def are_equal(first: int, second: int) -> None:
        if first != second:
            pytest.fail("they differ")

    with pytest.raises(BaseExceptionGroup) as failed:
        are_equal()
    assert [failure.__notes__ for failure in failed.value.exceptions] == [["in row 1: smaller"], ["in row 2: another"]]


def test_each_row_of_one_table_is_tried_with_each_of_another() -> None:
    tried = []

    @table("first", "ab")
    @table("second", [1, 2], ids=str)
    def note(first: str, second: int) -> None:
        tried.append(f"{first}{second}")

    note()
    assert tried == ["a1", "a2", "b1", "b2"]


def test_a_table_has_rows() -> None:
    with pytest.raises(AssertionError, match="without rows"):
        table("number", [])
