"""Options and fixtures of the whole suite."""

import pytest
from hypothesis import settings

from tests.support.golden import Golden
from tests.support.system import ManualClock, SeededIds

settings.register_profile("suite", deadline=None)  # a slow machine is no fault of an example
settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="rewrite the expected files (tests/data, assets)")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(rewrite=request.config.getoption("--rewrite"))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ids() -> SeededIds:
    return SeededIds()
