"""Prometheus and Grafana as the compose file sets them up, as far as their files tell."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from app.keys import Scope
from app.measures import MEASURES, Measure, MeasureKind
from sentiscope.reference.problems import known_problems
from tests.containers.compose import COMPOSE
from tests.containers.dockerfile import ROOT, image

FOLDER = ROOT / "docs" / "observe"
DASHBOARD = json.loads((FOLDER / "grafana" / "dashboards" / "sentiscope.json").read_text())
SUFFIXES = {
    MeasureKind.COUNTER: ("_total",),
    MeasureKind.GAUGE: ("",),
    MeasureKind.HISTOGRAM: ("_bucket", "_sum", "_count"),
}
NAMES = {each.name + suffix: each for each in MEASURES for suffix in SUFFIXES[each.kind]}


def read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text())


def expressions() -> Iterator[str]:
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (each["expr"] for each in alerts() if "sentiscope_" in each["expr"])


def alerts() -> Iterator[dict[str, Any]]:
    for group in read("alerts.yml")["groups"]:
        yield from group["rules"]


def labels_of(measure: Measure) -> set[str]:
    return {*measure.labels, "le"} if measure.kind is MeasureKind.HISTOGRAM else {*measure.labels}


@pytest.mark.parametrize("expression", list(expressions()))
def test_panels_and_alerts_ask_for_metrics_and_labels_that_there_are(expression: str) -> None:
    used = re.findall(r"\bsentiscope_\w+", expression)
    assert used
    assert set(used) <= NAMES.keys()
    asked = {
        label
        for grouped, matched in re.findall(r"by \(([^)]*)\)|\{(\w+)=", expression)
        for label in re.findall(r"\w+", grouped or matched)
    }
    assert asked <= set().union(*(labels_of(NAMES[name]) for name in used))


def test_alerts_are_mounted_where_prometheus_looks_and_the_guide_says_what_to_do() -> None:
    (looked_for,) = read("prometheus.yml")["rule_files"]
    mounted = COMPOSE["services"]["prometheus"]["volumes"]
    assert f"./docs/observe/alerts.yml:{looked_for}:ro" in mounted
    guide = (ROOT / "docs" / "guides" / "operate.md").read_text()
    assert {each["alert"] for each in alerts()} == set(re.findall(r"\n\| `(\w+)` \|", guide))


def test_reasons_that_alerts_name_are_problems() -> None:
    said = "".join(each["expr"] for each in alerts())
    named = {each for found in re.findall(r'reason=~?"([^"]+)"', said) for each in found.split("|")}
    assert named
    assert named <= {name for _, name, _ in known_problems()}


def test_every_panel_shows_data_of_the_provisioned_source() -> None:
    (source,) = read("grafana/datasources/prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == {source["uid"]}


def test_grafana_finds_the_dashboard_where_the_folder_is_mounted() -> None:
    (provider,) = read("grafana/dashboards/dashboards.yml")["providers"]
    mounted = dict(each.split(":")[:2] for each in COMPOSE["services"]["grafana"]["volumes"])
    there = mounted["./docs/observe/grafana"] + "/dashboards"
    assert provider["options"]["path"] == there


def test_prometheus_asks_the_api_with_the_key_that_is_mounted() -> None:
    (job,) = read("prometheus.yml")["scrape_configs"]
    port = image("serve").environment["SENTISCOPE_PORT"]
    assert job["static_configs"] == [{"targets": [f"api:{port}"]}]
    (secret,) = COMPOSE["services"]["prometheus"]["secrets"]
    assert job["authorization"]["credentials_file"] == f"/run/secrets/{secret}"
    written = re.search(
        r"keys create \w+ --scope (\w+) > (\S+)", (ROOT / "docker-compose.yml").read_text()
    )
    assert written
    assert written.group(1) == Scope.PREDICT
    assert COMPOSE["secrets"][secret]["file"] == f"./{written.group(2)}"
