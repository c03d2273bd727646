"""The dashboard shows every metric and nothing else, and Prometheus and Grafana find what they are to show."""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from tests.support.metrics import example
from tests.support.paths import ASSETS, ROOT

DASHBOARD: dict[str, Any] = json.loads((ASSETS / "grafana-dashboard.json").read_text("utf-8"))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
PARTS = ("_bucket", "_count", "_sum")
OF_GRAFANA = {"__rate_interval"}


def _read(name: str) -> Any:
    return yaml.safe_load((ASSETS / name).read_text("utf-8"))


def _targets() -> Iterator[dict[str, Any]]:
    for panel in DASHBOARD["panels"]:
        yield from panel.get("targets", [])


def _metrics_shown() -> set[str]:
    expressions = " ".join(target["expr"] for target in _targets())
    return set(re.findall(r"\b(?:civitai_mock|process)_\w+", expressions))


def _metric_of(sample: str) -> str:
    return next((sample.removesuffix(part) for part in PARTS if sample.endswith(part)), sample)


def test_what_a_panel_shows_exists() -> None:
    assert _metrics_shown() - {sample.name for sample in example().samples} == set()


def test_every_metric_of_ours_is_shown() -> None:
    ours = {_metric_of(sample.name) for sample in example().samples if sample.name.startswith("civitai_mock_")}
    assert ours - {_metric_of(name) for name in _metrics_shown()} == set()


def test_every_label_that_a_panel_groups_by_exists() -> None:
    labels = {label for sample in example().samples for label in sample.labels} | {"instance", "job"}
    grouped = [re.findall(r"by \(([^)]*)\)", target["expr"]) for target in _targets()]
    assert {label.strip() for lists in grouped for names in lists for label in names.split(",")} <= labels
    assert {label for target in _targets() for label in re.findall(r"{{(\w+)}}", target["legendFormat"])} <= labels


def test_every_variable_is_defined() -> None:
    defined = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD["panels"])))
    assert used - OF_GRAFANA <= defined


def test_panels_have_a_place_and_a_number_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_prometheus_scrapes_what_compose_starts() -> None:
    (scraped,) = _read("prometheus.yml")["scrape_configs"]
    environment = COMPOSE["services"]["scheduler"]["environment"]
    assert scraped["static_configs"] == [{"targets": [f"mock:{environment['PORT']}"]}]
    (schedulers,) = scraped["dns_sd_configs"]
    assert schedulers["names"] == COMPOSE["services"]["scheduler"]["networks"]["default"]["aliases"]
    assert str(schedulers["port"]) == environment["METRICS_PORT"]


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    (source,) = _read("grafana-datasources.yml")["datasources"]
    (provider,) = _read("grafana-dashboards.yml")["providers"]
    assert source["url"] == "http://prometheus:9090"
    assert source["jsonData"]["timeInterval"] == _read("prometheus.yml")["global"]["scrape_interval"]
    grafana = COMPOSE["services"]["grafana"]
    mounted = dict(mount.split(":")[:2] for mount in grafana["volumes"])
    path = f"{provider['options']['path']}/civitai-mock.json"
    assert mounted["./assets/grafana-dashboard.json"] == path
    assert grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == path
