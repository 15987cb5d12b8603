"""The `[sources]` of the config file: what is good, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import SecretStr

from bot import settings
from bot.settings import BadSettings
from bot.source_settings import Source
from storage import outside
from tests.makers_policy import policy_data
from workflows import rulebook
from workflows.attributes import Kind
from workflows.mistakes import Mistake

DEAL = "customer.x.deal_amount"
CSV: Mapping[str, Any] = {
    "type": "csv",
    "path": "crm.csv",
    "key": "phone",
    "columns": {DEAL: "amount"},
}
SQL: Mapping[str, Any] = {
    "type": "sql",
    "url": "postgresql://reader:do-not-print-me@db.example.com/crm",
    "query": "select phone, amount from customers",
    "key": "phone",
    "columns": {DEAL: "amount"},
}
APP = {"corp_id": "c", "agent_id": 1, "secret": "s", "token": "t", "encoding_aes_key": "A" * 43}


def read(sources: Mapping[str, Any], **sections: Any) -> settings.Reading:
    data = {**policy_data(**sections), "wecom": APP, "sources": sources}
    return settings.reading_of("", data)


def wrong_in(source: Mapping[str, Any], **sections: Any) -> list[tuple[str, str]]:
    found = read({"crm": source}, **sections).mistakes
    return [(mistake.place, mistake.code) for mistake in found]


def test_both_kinds_of_sources_are_read_with_their_defaults() -> None:
    found = read({"crm": CSV}).settings.sources["crm"]

    assert (found.every, found.stale_after) == ("15m", "24h")
    assert found.fields == ("phone", "amount")
    assert wrong_in(SQL) == []


def test_the_keys_column_may_have_another_name_and_attributes_may_be_nested() -> None:
    nested = {"customer": {"x": {"deal_amount": "amount"}}}
    found = read({"crm": {**CSV, "key_column": "手机", "columns": nested}}).settings
    assert found.sources["crm"].fields == ("手机", "amount")
    assert list(found.sources["crm"].columns) == [DEAL]


@pytest.mark.parametrize(
    ("change", "place", "code"),
    [
        ({"type": "xls"}, "type", "not_one_of"),
        ({"key": "fone"}, "key", "not_one_of"),
        ({"path": None}, "path", "required"),
        ({"encoding": "latin-1"}, "encoding", "not_one_of"),
        ({"columns": {}}, "columns", "empty"),
        ({"columns": {"customer.x.deal_amont": "a"}}, 'columns."customer.x.deal_amont"',
         "undeclared_attribute"),
        ({"columns": {"customer.tags": "a"}}, 'columns."customer.tags"', "undeclared_attribute"),
        ({"columns": {DEAL: 7}}, f'columns."{DEAL}"', "wrong_type"),
        ({"every": "10s"}, "every", "too_small"),
        ({"every": "soon"}, "every", "bad_duration"),
        ({"stale_after": "15m"}, "stale_after", "timers_out_of_order"),
        ({"query": "select 1"}, "query", "belongs_to"),
        ({"pth": "x"}, "pth", "unknown_key"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_csv_source_is_told_with_its_place(
    change: Mapping[str, Any], place: str, code: str
) -> None:
    source = {key: value for key, value in {**CSV, **change}.items() if value is not None}
    assert (f"sources.crm.{place}", code) in wrong_in(source)


@pytest.mark.parametrize(
    ("change", "place", "code"),
    [
        ({"url": None}, "url", "required"),
        ({"query": None}, "query", "required"),
        ({"url": "do-not-print-me"}, "url", "bad_source_url"),
        ({"url": {"env": "NOT_THERE"}}, "url", "secret_env"),
        ({"query": "update customers set amount = 1"}, "query", "bad_query"),
        ({"path": "x.csv"}, "path", "belongs_to"),
    ],
)
def test_a_mistake_in_an_sql_source_is_told_with_its_place(
    change: Mapping[str, Any], place: str, code: str
) -> None:
    source = {key: value for key, value in {**SQL, **change}.items() if value is not None}
    assert wrong_in(source) == [(f"sources.crm.{place}", code)]


def test_two_sources_cannot_fill_one_column() -> None:
    found = read({"crm": CSV, "erp": SQL}).mistakes
    assert found == (Mistake(("sources", "erp", "columns", DEAL), "duplicate", {"value": DEAL}),)


def test_an_undeclared_attribute_is_guessed_at() -> None:
    columns = {"columns": {"customer.x.deal_amont": "a"}}
    (mistake,) = read({"crm": {**CSV, **columns}}).mistakes
    assert mistake.suggestion == DEAL


def test_the_password_of_a_source_is_never_shown() -> None:
    source = read({"crm": SQL}).settings.sources["crm"]

    assert source.place == "postgresql://reader:***@db.example.com/crm"
    assert "do-not-print-me" not in repr(source)
    assert "do-not-print-me" not in source.model_dump_json()
    with pytest.raises(BadSettings) as bad:
        _ = read({"crm": {**SQL, "key": "fone"}}).settings
    assert "do-not-print-me" not in str([vars(bad.value), bad.value])


def test_the_fingerprint_changes_with_what_is_read_and_not_with_the_password() -> None:
    source = Source.model_validate(SQL)
    other_password = source.model_copy(update={"url": SecretStr(SQL["url"].replace("do-", "x"))})
    other_query = source.model_copy(update={"query": "select phone, amount from others"})
    kinds = {DEAL: Kind.INT}

    assert source.fingerprint(kinds) == other_password.fingerprint(kinds)
    assert source.fingerprint(kinds) != other_query.fingerprint(kinds)
    assert source.fingerprint(kinds) != source.fingerprint({DEAL: Kind.TEXT})


@pytest.mark.parametrize(
    "query",
    [
        "select 1",
        "SELECT phone, amount FROM customers WHERE note LIKE '50%;'  ;  ",
        "with big as (select * from t) select phone from big",
        "select replace(phone, '-', '') as phone, \"update\", `delete` from t",
        "select phone from t -- update\n where x = 'it''s' /* drop; */",
        "select [insert], comment, created, updated_at from t",
    ],
)
def test_a_single_select_is_one(query: str) -> None:
    assert outside.is_one_select(query)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "update t set a = 1",
        "select 1; drop table t",
        "select 1; select 2",
        "with gone as (delete from t returning *) select * from gone",
        "select * into copy from t",
        "select * from t for update",
        "select 1 drop table t",
        "select 'open",
        "select $$;$$",
        "select 1 /*! delete from t */",
        "explain select 1",
        "values (1)",
        "with x as (insert into t values (1)) table x",
    ],
)
def test_whatever_else_a_query_is_it_is_refused(query: str) -> None:
    assert not outside.is_one_select(query)


@pytest.mark.parametrize(
    ("column", "code"),
    [
        ({"type": "int", "default": 0}, None),
        ({"type": "set", "default": []}, None),
        ({"type": "set", "default": ["普通"]}, None),
        ({"type": "text", "default": ""}, None),
        ({"type": "date", "default": "2026-01-01"}, None),
        ({"type": "int", "default": "0"}, "wrong_type"),
        ({"type": "bool", "default": 0}, "wrong_type"),
        ({"type": "set", "default": "普通"}, "wrong_type"),
        ({"type": "date", "default": "soon"}, "wrong_type"),
    ],
)
def test_a_default_must_be_of_its_columns_type(column: Mapping[str, Any], code: str | None) -> None:
    book, wrong = rulebook.read(policy_data(attributes={DEAL: column}))

    places = [(each.place, each.code) for each in wrong]
    assert places == ([] if code is None else [(f'attributes."{DEAL}".default', code)])
    if book is not None:
        again = type(book).model_validate_json(book.model_dump_json(by_alias=True))
        assert again == book
        assert again.attributes[DEAL].default_fact is not None
