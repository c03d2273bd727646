"""Roles that are loaded at first use."""

import pytest

from civitai_mock.ports import late


class Role:
    def __init__(self, number: int) -> None:
        self.number = number

    def add(self, more: int) -> int:
        return self.number + more


def test_a_role_is_loaded_once_and_only_when_it_is_used() -> None:
    loaded: list[int] = []

    def load() -> Role:
        loaded.append(len(loaded))
        return Role(loaded[-1])

    role = late(load)
    assert loaded == []
    assert [role.add(1), role.add(2), role.number] == [1, 2, 0]
    assert loaded == [0]


def test_a_role_that_cannot_be_loaded_fails_each_time() -> None:
    def load() -> Role:
        raise ImportError("missing")

    role = late(load)
    for _ in range(2):
        with pytest.raises(ImportError, match="missing"):
            role.add(1)
