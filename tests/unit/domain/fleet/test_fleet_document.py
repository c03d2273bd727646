"""The document of a fleet: the wish list's numbers are the defaults, and all that is wrong is told with its path."""

from typing import Any

import pytest

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.fleet.document import (
    HYBRID,
    FleetDocument,
    as_json,
    parse_fleet,
    stored_fleet,
)
from civitai_mock.domain.fleet.providers import ProviderKind

SPOT: dict[str, Any] = {"name": "spot", "kind": "spot"}
SERVERLESS: dict[str, Any] = {"name": "serverless", "kind": "serverless"}


def faults_of(document: Any, **more: Any) -> dict[str, list[str]]:
    with pytest.raises(InvalidRequestError) as raised:
        parse_fleet(document, **more)
    return raised.value.errors


def test_the_numbers_of_the_wish_list_are_the_defaults() -> None:
    assert as_json(HYBRID) == {
        "providers": [
            {
                "name": "spot",
                "kind": "spot",
                "pricePerHour": 0.44,
                "pricePerPicture": 0.0015,
                "secondsPerPicture": 12.27,
                "bootSeconds": {"min": 240, "max": 300},
                "bootTimeoutSeconds": 600,
                "coldStartSeconds": 0,
                "warningSeconds": 30,
                "idleShutdownSeconds": 300,
                "maxPods": 1,
                "maxConcurrent": 1,
                "capacity": "always",
                "preemption": {"probabilityPerMinute": 0},
            },
            {
                "name": "serverless",
                "kind": "serverless",
                "pricePerPicture": 0.003,
                "secondsPerPicture": 4,
                "coldStartSeconds": 5,
                "idleShutdownSeconds": 300,
                "maxConcurrent": 10,
                "capacity": "always",
            },
        ],
        "policy": [
            {"when": {"urgent": True}, "use": "serverless"},
            {"when": {"picturesOver": 20}, "use": "spot"},
            {"when": {"offline": True}, "use": "serverless"},
            {"when": {}, "use": "serverless"},
        ],
        "urgentFrom": 10,
        "batchBy": "submission",
    }


def test_a_second_of_a_pod_costs_what_its_pictures_do() -> None:
    spot = HYBRID.provider("spot")
    assert round(spot.seconds_per_picture * spot.price_per_hour / 3600) == spot.price_per_picture


@pytest.mark.parametrize("document", [{}, {"providers": None}, {"providers": [SPOT, SERVERLESS]}, as_json(HYBRID)])
def test_what_a_document_leaves_out_is_as_in_the_hybrid_fleet(document: Any) -> None:
    assert parse_fleet(document) == HYBRID


def test_a_document_is_read_as_it_is_told_back() -> None:
    given: dict[str, Any] = {
        "providers": [
            SPOT
            | {
                "name": "RunPods",
                "pricePerHour": 0.123456,
                "bootSeconds": {"min": 1, "max": 2.5},
                "preemption": {"probabilityPerMinute": 0.25, "atSeconds": 10},
                "capacity": "never",
                "maxPods": 3,
            },
            SERVERLESS | {"name": "SaladML", "pricePerPicture": 0, "maxConcurrent": 2},
        ],
        "policy": [{"when": {"offline": False, "urgent": False}, "use": "RunPods"}, {"use": "SaladML"}],
        "urgentFrom": -5,
        "batchBy": "properties.comicId",
    }
    document = parse_fleet(given)
    assert parse_fleet(as_json(document)) == document
    assert stored_fleet(as_json(document)) == document
    assert document.provider("RunPods").price_per_hour == 123_456
    assert document.policy[0].reason == "not_urgent_and_not_offline"
    assert document.first(ProviderKind.SERVERLESS) == document.provider("SaladML")


def test_no_document_is_no_fleet() -> None:
    assert stored_fleet(None) is None


def test_other_names_have_the_same_policy() -> None:
    document = parse_fleet({"providers": [SERVERLESS | {"name": "SaladML"}, SPOT | {"name": "RunPods"}]})
    assert [rule.use for rule in document.policy] == ["SaladML", "RunPods", "SaladML", "SaladML"]


@pytest.mark.parametrize("only", [SPOT, SERVERLESS])
def test_a_provider_that_is_alone_gets_everything(only: dict[str, Any]) -> None:
    document: FleetDocument = parse_fleet({"providers": [only]})
    assert [(rule.reason, rule.use) for rule in document.policy] == [("default", only["name"])]


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        ([], "$", "Expected a JSON object"),
        ({"provider": []}, "provider", "Did you mean 'providers'?"),
        ({"providers": {}}, "providers", "a list of at most 20"),
        ({"providers": []}, "providers", "at least one provider"),
        ({"providers": [SPOT] * 21}, "providers", "at most 20"),
        ({"providers": [SPOT, SPOT]}, "providers[1].name", "'spot' already"),
        ({"providers": [{"kind": "spot"}]}, "providers[0].name", "required"),
        ({"providers": [{"name": "spot"}]}, "providers[0].kind", "required"),
        ({"providers": [SPOT | {"kind": "spott"}]}, "providers[0].kind", "Did you mean 'spot'?"),
        ({"providers": [SPOT | {"name": "x" * 65}]}, "providers[0].name", "1 to 64 characters"),
        ({"providers": [SPOT | {"bootSecond": 1}]}, "providers[0].bootSecond", "Did you mean 'bootSeconds'?"),
        ({"providers": [SPOT | {"bootSeconds": 5}]}, "providers[0].bootSeconds", "a JSON object"),
        ({"providers": [SPOT | {"bootSeconds": {"min": 2}}]}, "providers[0].bootSeconds.max", "required"),
        ({"providers": [SPOT | {"bootSeconds": {"min": 2, "max": 1}}]}, "providers[0].bootSeconds.min", "at most max"),
        ({"providers": [SPOT | {"bootSeconds": {"min": -2, "max": 1}}]}, "providers[0].bootSeconds.min", "from 0"),
        ({"providers": [SPOT | {"warningSeconds": -1}]}, "providers[0].warningSeconds", "from 0"),
        ({"providers": [SPOT | {"secondsPerPicture": -0.1}]}, "providers[0].secondsPerPicture", "from 0"),
        ({"providers": [SPOT | {"idleShutdownSeconds": 1e9}]}, "providers[0].idleShutdownSeconds", "to 86400"),
        ({"providers": [SPOT | {"idleShutdownSeconds": "5m"}]}, "providers[0].idleShutdownSeconds", "a number"),
        ({"providers": [SPOT | {"pricePerHour": -0.44}]}, "providers[0].pricePerHour", "from 0"),
        ({"providers": [SPOT | {"pricePerPicture": 0.00000015}]}, "providers[0].pricePerPicture", "six decimals"),
        ({"providers": [SPOT | {"maxPods": 0}]}, "providers[0].maxPods", "from 1"),
        ({"providers": [SPOT | {"maxPods": True}]}, "providers[0].maxPods", "from 1"),
        ({"providers": [SPOT | {"maxConcurrent": 0}]}, "providers[0].maxConcurrent", "from 1"),
        ({"providers": [SPOT | {"capacity": "some"}]}, "providers[0].capacity", "always, never"),
        (
            {"providers": [SPOT | {"preemption": {"probabilityPerMinute": 1.5}}]},
            "providers[0].preemption.probabilityPerMinute",
            "from 0 to 1",
        ),
        ({"providers": [SPOT | {"preemption": {"atSeconds": -1}}]}, "providers[0].preemption.atSeconds", "from 0"),
        ({"providers": [SPOT | {"preemption": {"at": 1}}]}, "providers[0].preemption.at", "Did you mean 'atSeconds'?"),
        ({"providers": [SERVERLESS | {"maxPods": 1}]}, "providers[0].maxPods", "for kind spot alone"),
        ({"providers": [SERVERLESS | {"bootSeconds": {"min": 1, "max": 1}}]}, "providers[0].bootSeconds", "spot alone"),
        ({"policy": []}, "policy", "at least one rule"),
        ({"policy": [{}]}, "policy[0].use", "required"),
        ({"policy": [{"use": "serverles"}]}, "policy[0].use", "Did you mean 'serverless'?"),
        ({"providers": [SPOT], "policy": [{"use": "serverless"}]}, "policy[0].use", "Unknown provider 'serverless'"),
        ({"policy": [{"use": "spot", "when": []}]}, "policy[0].when", "a JSON object"),
        ({"policy": [{"use": "spot", "when": {"urgent": 1}}]}, "policy[0].when.urgent", "true or false"),
        ({"policy": [{"use": "spot", "when": {"pictures": 1}}]}, "policy[0].when.pictures", "'picturesOver'"),
        ({"policy": [{"use": "spot", "when": {"picturesOver": -1}}]}, "policy[0].when.picturesOver", "from 0"),
        ({"urgentFrom": "high"}, "urgentFrom", "a whole number"),
        ({"batchBy": "comicId"}, "batchBy", "properties.comicId"),
        ({"batchBy": "properties."}, "batchBy", "properties.comicId"),
        ({"batchBy": "submissions"}, "batchBy", "properties.comicId"),
    ],
)
def test_what_is_wrong_is_told_with_its_path(document: Any, path: str, message: str) -> None:
    faults = faults_of(document)
    assert list(faults) == [path]
    assert message in faults[path][0]


def test_all_faults_are_told_at_once_under_the_path_of_the_part() -> None:
    faults = faults_of({"providers": [SPOT | {"maxPods": 0, "warningSeconds": -1}], "urgentFrom": "x"}, path="fleet")
    assert sorted(faults) == ["fleet.providers[0].maxPods", "fleet.providers[0].warningSeconds", "fleet.urgentFrom"]
