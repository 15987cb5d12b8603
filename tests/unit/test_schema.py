"""The JSON Schema that editors check a config file with."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot import schema
from workflows import rulebook

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.toml"


def complaints(data: dict[str, Any]) -> list[str]:
    validator = jsonschema.Draft202012Validator(schema.generate())
    return [e.message for e in validator.iter_errors(json.loads(json.dumps(data, default=str)))]


def example() -> dict[str, Any]:
    return tomllib.loads(EXAMPLE.read_text("utf-8"))


def test_the_file_in_the_repository_is_what_the_models_say() -> None:
    """Mend with `menwei schema > config.schema.json`."""
    on_file = json.loads((ROOT / "config.schema.json").read_text("utf-8"))

    assert on_file == schema.generate()


def test_the_example_names_its_schema_and_obeys_it() -> None:
    assert EXAMPLE.read_text("utf-8").startswith("#:schema ./config.schema.json\n")
    assert complaints(example()) == []


def test_the_rules_of_the_demo_obey_it() -> None:
    demo = tomllib.loads((ROOT / "bot/demo/config.toml").read_text("utf-8"))

    assert complaints(demo) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "when.customer.teir = ['vip']",
        "when.today.adds.bigger = 5",
        "when.today.adds.gte = 'five'",
        "when.contact.way = ['pigeon']",
        "then = 'allow'",
        "colour = 'red'",
        "when.any = []",
    ],
)
def test_what_the_program_refuses_an_editor_underlines(wrong: str) -> None:
    data = example()
    rule = {"id": "x", "action": ["friend.add"], "then": "deny", "when": {"today": {"adds": 1}}}
    data["rule"] = [rule | tomllib.loads(wrong)]
    policy = {k: v for k, v in data.items() if k not in rulebook.OTHER_SECTIONS}

    assert rulebook.read(policy)[0] is None
    assert complaints(data)


@pytest.mark.parametrize("given", ["plain", {"env": "NAME"}, {"file": "path"}])
def test_a_secret_may_be_given_in_three_ways(given: object) -> None:
    data = example()
    data["wecom"]["secret"] = given

    assert complaints(data) == []
