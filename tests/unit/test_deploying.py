"""The files under deploy/ and beside it fit the program: names, ports, secrets, metrics."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot import settings
from bot.monitoring import Metrics

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
CONFIG = (ROOT / "deploy/config.toml").read_text("utf-8")
IMAGE = (ROOT / "Containerfile").read_text("utf-8")
CADDY = (ROOT / "deploy/Caddyfile").read_text("utf-8")
UNIT = (ROOT / "deploy/menwei.service").read_text("utf-8")
NODES = ("menwei1", "menwei2")
SECRETS = set(re.findall(r'env = "(\w+)"', CONFIG))
_SERIES = re.compile(r"\bmenwei_\w+")


def exported() -> set[str]:
    """Return the names of all series a node can show."""
    names = set()
    for metric in Metrics().registry.collect():
        endings = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
        names |= {f"{metric.name}{end}" for end in endings.get(metric.type, ("",))}
    return names


def test_both_nodes_get_every_secret_that_the_config_reads_and_none_is_written_down() -> None:
    for node in NODES:
        given = COMPOSE["services"][node]["environment"]
        assert set(given) == SECRETS
        for name in ("MENWEI_WECOM_SECRET", "MENWEI_WECOM_TOKEN", "MENWEI_WECOM_AES_KEY"):
            assert given[name] == f"${{{name}:?}}"
        assert "${POSTGRES_PASSWORD:?}" in given["MENWEI_DATABASE_URL"]


def test_every_secret_of_the_config_comes_from_the_environment() -> None:
    wecom, storage = (tomllib.loads(CONFIG)[name] for name in ("wecom", "storage"))
    secrets = [wecom[name] for name in ("secret", "token", "encoding_aes_key")]
    assert all(list(each) == ["env"] for each in (*secrets, *storage.values()))


def test_the_config_is_good_once_the_secrets_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, "A" * 43)
    monkeypatch.setenv("MENWEI_WECOM_TOKEN", "token")
    monkeypatch.setenv("MENWEI_REDIS_URL", "redis://:secret@redis:6379/0")
    monkeypatch.setenv("MENWEI_DATABASE_URL", "postgresql://menwei:secret@postgres:5432/menwei")

    assert settings.parse(CONFIG).server.host == "0.0.0.0"  # noqa: S104 - in a container


def test_what_compose_asks_of_the_operator_is_in_the_example_of_the_secrets() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?\}", (ROOT / "compose.yaml").read_text("utf-8")))
    example = (ROOT / "deploy/secrets.env.example").read_text("utf-8")
    assert set(re.findall(r"^(\w+)=", example, re.MULTILINE)) == asked


def test_the_parts_reach_each_other_by_the_ports_they_listen_on() -> None:
    port = str(tomllib.loads(CONFIG)["server"]["port"])
    services = COMPOSE["services"]
    assert services["caddy"]["environment"]["MENWEI_NODES"] == " ".join(
        f"{node}:{port}" for node in NODES
    )
    assert all(services[node]["expose"] == [port] for node in NODES)
    assert f"EXPOSE {port}" in IMAGE
    assert f"127.0.0.1:{port}/healthz" in IMAGE
    own = services["menwei1"]["environment"]
    assert "@postgres:5432/" in own["MENWEI_DATABASE_URL"]
    assert own["MENWEI_REDIS_URL"].startswith("redis://redis:6379/")
    assert "postgres" in services
    assert "redis" in services


def test_only_the_proxy_is_reached_from_outside_and_only_at_what_wecom_calls() -> None:
    assert [name for name, each in COMPOSE["services"].items() if "ports" in each] == ["caddy"]
    assert "handle /wecom/*" in CADDY
    assert "health_uri /readyz" in CADDY


def test_the_image_runs_as_nobody_writes_nowhere_and_holds_no_secret() -> None:
    last = IMAGE[IMAGE.rindex("\nFROM ") :]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert not re.search(r"SECRET|TOKEN|PASSWORD|AES_KEY|COPY .*(deploy|\.env|\.toml )", last)
    ignored = (ROOT / ".containerignore").read_text("utf-8").splitlines()
    assert "*" in ignored  # only what is named goes to the builder
    for node in NODES:
        assert COMPOSE["services"][node]["read_only"] is True
        assert COMPOSE["services"][node]["cap_drop"] == ["ALL"]


def test_nobody_is_killed_before_a_node_has_drained() -> None:
    grace = re.fullmatch(r"(\d+)s", COMPOSE["services"]["menwei1"]["stop_grace_period"])
    stop = re.search(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)
    drains = settings.Server().drains(is_shared=True)
    assert grace
    assert stop
    assert min(int(grace[1]), int(stop[1])) > drains + 20


@pytest.mark.parametrize("name", ["alerts.yml", "alerts_test.yml", "grafana.json"])
def test_alerts_and_dashboard_name_only_what_is_exported(name: str) -> None:
    text = (ROOT / "deploy" / name).read_text("utf-8")
    asked = "\n".join(_asked(name, text))
    assert set(_SERIES.findall(asked)) <= exported()


def _asked(name: str, text: str) -> list[str]:
    """Return the queries in a file, or the series that it makes up."""
    match name:
        case "alerts.yml":
            return [r["expr"] for g in yaml.safe_load(text)["groups"] for r in g["rules"]]
        case "alerts_test.yml":
            tests = yaml.safe_load(text)["tests"]
            return [each["series"] for test in tests for each in test["input_series"]]
        case _:
            panels = json.loads(text)["panels"]
            return [target["expr"] for panel in panels for target in panel["targets"]]


def test_every_gauge_and_counter_is_somewhere_on_the_dashboard() -> None:
    text = (ROOT / "deploy/grafana.json").read_text("utf-8")
    shown = {re.sub(r"_(bucket|count|sum)$", "", each) for each in _SERIES.findall(text)}
    assert shown == {re.sub(r"_(bucket|count|sum)$", "", each) for each in exported()}


def test_the_operators_page_says_what_to_do_about_each_alert() -> None:
    alerts = yaml.safe_load((ROOT / "deploy/alerts.yml").read_text("utf-8"))
    names = {rule["alert"] for group in alerts["groups"] for rule in group["rules"]}
    page = (ROOT / "docs/operations.md").read_text("utf-8")
    rows = set(re.findall(r"^\| `(Menwei\w+)` \|", page, re.MULTILINE))
    assert rows == names
