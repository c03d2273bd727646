"""Options and fixtures of the whole suite."""

import gc
import sys
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.pytest_plugin.imports import PlainImports
from civitai_mock.telemetry.logs import console_renderer
from tests.support.dates import START
from tests.support.golden import Golden
from tests.support.made_once import made_once

# A slow machine is no fault of an example. Each run has the same examples, so that none fails by luck for a change that
# has nothing to do with it; `--hypothesis-profile search` looks for others.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("search"), derandomize=True, max_examples=100)
settings.register_profile("suite", settings.get_profile("thorough"), max_examples=40)
settings.load_profile("suite")
PlainImports.be_asked_first()
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], console_renderer(colors=False)])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="rewrite the expected files (tests/data, assets)")
    parser.addoption("--require-browser", action="store_true", help="fail where there is no Chromium, and do not skip")


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """Let nothing that is only done for each process of the suite take long.

    What is loaded is no garbage, and what 400 modules of tests are compiled to is kept, whatever the environment says
    of other programs: git ignores it.
    """
    gc.disable()
    sys.dont_write_bytecode = False


def pytest_collection_finish() -> None:
    """Leave modules and tests alone when garbage is collected: to look at all of them again and again took long."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(autouse=True, scope="session")
def _nothing_is_made_twice() -> Iterator[None]:
    with made_once():
        yield


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(rewrite=request.config.getoption("--rewrite"))


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def ids() -> SeededIds:
    return SeededIds()
