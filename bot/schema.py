"""The JSON Schema of the config file, so that editors complete and check it while it is typed.

Generated from the models that load the file and from the attribute registry: there is no second
description to keep in step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.settings import Program
from workflows.attributes import ACTIONS, BUILT_IN, Attribute, Kind
from workflows.conditions import OPERATORS, SUBSTRING, Operator
from workflows.sections import Rulebook

Json = dict[str, Any]

_CONDITION = {"$ref": "#/$defs/Condition"}
_SECRET: Json = {
    "anyOf": [
        {"type": "string"},
        {"type": "object", "properties": {"env": {"type": "string"}}, "required": ["env"]},
        {"type": "object", "properties": {"file": {"type": "string"}}, "required": ["file"]},
    ]
}
_SECRETS = frozenset({"secret", "token", "encoding_aes_key", "url", "redis_url"})
_TYPES: Mapping[Kind, Json] = {
    Kind.TEXT: {"type": "string"},
    Kind.BOOL: {"type": "boolean"},
    Kind.INT: {"type": "integer"},
    Kind.NUMBER: {"type": "number"},
    Kind.DATE: {"type": "string"},
    Kind.SET: {"type": "string"},
}
_ONE_VALUE = frozenset({Operator.LT, Operator.LTE, Operator.GT, Operator.GTE})


def generate() -> Json:
    """Return the schema of the whole file (JSON Schema 2020-12)."""
    policy = Rulebook.model_json_schema(by_alias=True)
    program = Program.model_json_schema(by_alias=True)
    schema: Json = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Menwei config file",
        "type": "object",
        "additionalProperties": False,
        "properties": {**program["properties"], **policy["properties"]},
        "required": [*program["required"], *policy["required"]],
        "$defs": {**program["$defs"], **policy["$defs"], "Condition": _condition()},
    }
    for name, model in schema["$defs"].items():
        if name != "Condition":
            _refine(model.get("properties", {}))
    del schema["properties"]["storage"]["default"]  # shown as stars, like all that may be secret
    known = {action.name: {"$ref": "#/$defs/Permission"} for action in ACTIONS.values()}
    schema["properties"]["permissions"] = _closed(known)
    return schema


def _refine(properties: Json) -> None:
    """Say of some fields what their Python types cannot."""
    for name in properties:
        if name in {"when", "unless"}:
            properties[name] = _CONDITION
        elif name in _SECRETS:
            properties[name] = _SECRET
        elif name == "action" and properties[name].get("type") == "array":
            properties[name] = _one_or_more({"enum": list(ACTIONS)})
        elif properties[name].get("type") == "array":
            properties[name] = _one_or_more(properties[name].get("items", {}))


def _one_or_more(item: Json) -> Json:
    """A list; the file may write a single entry without brackets."""
    return {"anyOf": [item, {"type": "array", "items": item}]}


def _condition() -> Json:
    tree: Json = {}
    for attribute in BUILT_IN.values():
        *above, last = attribute.name.split(".")
        inner = tree
        for part in above:
            inner = inner.setdefault(part, {})
        inner[last] = _leaf(attribute)
    properties = {name: _closed(inner) for name, inner in tree.items()}
    # Columns of outside sources are named in the file itself.
    properties["customer"]["properties"]["x"] = {"type": "object"}
    properties["any"] = {"type": "array", "items": _CONDITION, "minItems": 1}
    properties["during"] = _one_or_more({"type": "string"})
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _leaf(attribute: Attribute) -> Json:
    value: Json = {"enum": list(attribute.words)} if attribute.words else _TYPES[attribute.kind]
    operators = _closed(
        {operator.value: _operand(operator, value) for operator in OPERATORS[attribute.kind]}
    )
    description = f"{attribute.zh} / {attribute.en}"
    return {"description": description, "anyOf": [*_one_or_more(value)["anyOf"], operators]}


def _operand(operator: Operator, value: Json) -> Json:
    if operator is Operator.EXISTS:
        return {"type": "boolean"}
    if operator in _ONE_VALUE:
        return value
    return _one_or_more({"type": "string"} if operator in SUBSTRING else value)


def _closed(properties: Json) -> Json:
    return {"type": "object", "additionalProperties": False, "properties": properties}
