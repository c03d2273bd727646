"""Whatever can be asked by this server's own description is answered as described, and never with a 5xx."""

from copy import deepcopy
from functools import cache
from random import Random
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import allow_header_conformance, positive_data_acceptance

from tests.fuzz.description import sharpened
from tests.fuzz.stock import make_stocked_app

RANDOM_QUESTIONS = pytest.mark.parametrize("questions", [4, pytest.param(50, marks=pytest.mark.long)])
EDGE_QUESTIONS = pytest.mark.parametrize("questions", [16, pytest.param(300, marks=pytest.mark.long)])
RECIPES = "/v2/consumer/recipes/"
EVENTS = "text/event-stream"  # such an answer does not end
FEWER = 10  # times fewer of each recipe, as all of them have one route
MODES = list(schemathesis.GenerationMode)
UNTRUE: list[schemathesis.CheckFunction] = [
    positive_data_acceptance,  # not every text is the AIR of something that is there
    allow_header_conformance,  # `/jobs/query` is also where a job called `query` would be
]


@schemathesis.serializer("application/zip")
def bytes_of(_: schemathesis.SerializationContext, value: Any) -> bytes:
    """Send what no zip begins like; what is in one is tried elsewhere."""
    return value if isinstance(value, bytes) else str(value).encode()


app = make_stocked_app()
every_operation = pytest.mark.parametrize(
    ("path", "method"),
    [
        (path, method)
        for path, methods in app.all_routes.openapi()["paths"].items()
        for method, operation in methods.items()
        if EVENTS not in operation["responses"].get("200", {}).get("content", {})
    ],
)


@cache
def _described(*, narrow: bool) -> Any:
    """The app is opened by the first question, and closed at the end of the session."""
    document = sharpened(deepcopy(app.all_routes.openapi()), narrow=narrow)
    description = schemathesis.openapi.from_dict(document, config=schemathesis.Config())
    description.app = app
    return description


@every_operation
@EDGE_QUESTIONS
def test_questions_at_the_edges_are_answered_as_described(path: str, method: str, questions: int) -> None:
    """Too long, too short, too small, missing, of another type, and with methods that are not there."""
    description = _described(narrow=False)
    cases = list(
        description.iter_coverage_cases(
            description[path][method], generation_modes=MODES, generation_config=description.config.generation
        )
    )
    for case in Random(0).sample(cases, min(_share(questions, path), len(cases))):
        _ask(case)


@every_operation
@RANDOM_QUESTIONS
def test_random_questions_are_answered_as_described(path: str, method: str, questions: int) -> None:
    @settings(
        max_examples=_share(questions, path), derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=_described(narrow=True)[path][method].as_strategy())
    def ask(case: schemathesis.Case[Any]) -> None:
        _ask(case)

    ask()


def _share(questions: int, path: str) -> int:
    return -(-questions // FEWER) if path.startswith(RECIPES) else questions


def _ask(case: schemathesis.Case[Any]) -> None:
    """A recipe is only planned, as nobody runs it here."""
    if case.path.startswith(RECIPES) and case.method == "POST":
        case.query = {**case.query, "whatif": "true"}
    case.call_and_validate(excluded_checks=UNTRUE)
