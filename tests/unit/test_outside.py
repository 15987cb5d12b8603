"""Facts from outside sources: how a customer is found, what a cell becomes, what stays unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from workflows import outside
from workflows.attributes import Kind
from workflows.model import Customer, FactValue, Relation, RelationState
from workflows.outside import Claimed, Key, Keys, Row, Sought, SourceState, Unconvertible, Wanted

NOW = datetime(2026, 1, 7, 2, 0, tzinfo=UTC)
DEAL = "customer.x.deal"
WANTED = {DEAL: Wanted(Kind.INT, 0)}
LIU = Customer("wmLiu", "刘建国", "wechat", "", "")
MADE = NOW - timedelta(hours=1)
STATE = SourceState("crm", Key.PHONE, frozenset({DEAL}), timedelta(days=1), "abc", MADE)
BY_PHONE: Keys = {**outside.keys_of(LIU, []), Key.PHONE: frozenset({"phone:13800001234"})}


def wide(digits: str) -> str:
    """Return digits as Chinese keyboards also type them."""
    return "".join(chr(ord(digit) + 0xFEE0) for digit in digits)


def a_relation(*phones: str) -> Relation:
    return Relation("linmei", "wmLiu", RelationState.ADDED, phones=phones)


def looked_up(
    *bodies: str,
    state: SourceState = STATE,
    keys: Keys = BY_PHONE,
    wanted: dict[str, Wanted] | None = None,
    twice: bool = False,
) -> FactValue | None:
    rows = tuple(Row(body, twice) for body in bodies)
    found = outside.facts_of(wanted or WANTED, [Sought(state, rows)], keys, NOW)
    return found.get(DEAL)


# --- keys


@pytest.mark.parametrize(
    ("kind", "cell", "keys"),
    [
        (Key.PHONE, "138 0000 1234", {"phone:13800001234"}),
        (Key.PHONE, "+86-138-0000-1234", {"phone:13800001234"}),
        (Key.PHONE, wide("13800001234"), {"phone:13800001234"}),
        (Key.PHONE, 13800001234, {"phone:13800001234"}),
        (Key.PHONE, Decimal(13800001234), {"phone:13800001234"}),
        (Key.PHONE, "13800001234，13900005678", {"phone:13800001234", "phone:13900005678"}),
        (Key.PHONE, "1.38E+10", set()),
        (Key.PHONE, "13800001234.0", set()),
        (Key.PHONE, "12", set()),
        (Key.PHONE, True, set()),
        (Key.COMPANY, " 恒远集团（上海）  Ltd ", {"company:恒远集团(上海) ltd"}),
        (Key.EXTERNAL_USERID, " wmA ", {"external_userid:wmA"}),
        (Key.UNIONID, "", set()),
        (Key.UNIONID, "x" * 201, set()),
        (Key.UNIONID, "a\0b", set()),
        (Key.UNIONID, None, set()),
    ],
)
def test_a_cell_names_these_customers(kind: Key, cell: object, keys: set[str]) -> None:
    assert outside.keys_in(kind, cell) == keys


def test_a_customer_is_found_by_what_wecom_and_colleagues_say_of_them() -> None:
    customer = replace(LIU, unionid="un1", corp_name="恒远")
    keys = outside.keys_of(customer, [a_relation("13800001234"), a_relation("13900005678")])

    assert keys == {
        Key.EXTERNAL_USERID: frozenset({"external_userid:wmLiu"}),
        Key.UNIONID: frozenset({"unionid:un1"}),
        Key.PHONE: frozenset({"phone:13800001234", "phone:13900005678"}),
        Key.COMPANY: frozenset({"company:恒远"}),
    }


def test_a_claimed_phone_finds_somebody_and_a_claimed_company_only_a_known_customers() -> None:
    claim = Claimed("138 0000 1234", "恒远")

    stranger, known = outside.keys_of(None, [], claim), outside.keys_of(LIU, [], claim)

    assert stranger[Key.PHONE] == known[Key.PHONE] == frozenset({"phone:13800001234"})
    assert stranger[Key.COMPANY] is None
    assert known[Key.COMPANY] == frozenset({"company:恒远"})


def test_a_claim_never_replaces_the_company_that_wecom_shows() -> None:
    customer = replace(LIU, corp_name="竞品甲")
    keys = outside.keys_of(customer, [], Claimed("", "恒远"))
    assert keys[Key.COMPANY] == frozenset({"company:竞品甲"})


def test_who_is_not_on_file_has_no_ids_to_be_found_by_and_without_a_phone_nothing_is_known() -> (
    None
):
    keys = outside.keys_of(None, [], Claimed())
    by_id = replace(STATE, key=Key.EXTERNAL_USERID)

    assert looked_up(state=by_id, keys=keys) == 0
    assert looked_up(state=STATE, keys=keys) is None


# --- values


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        (Kind.INT, " 250000 ", 250_000),
        (Kind.INT, "-7.00", -7),
        (Kind.INT, wide("12"), 12),
        (Kind.INT, Decimal("5.00"), 5),
        (Kind.INT, 5.0, 5),
        (Kind.NUMBER, "2.5", 2.5),
        (Kind.NUMBER, Decimal("2.5"), 2.5),
        (Kind.BOOL, "是", True),
        (Kind.BOOL, "FALSE", False),
        (Kind.BOOL, 1, True),
        (Kind.BOOL, Decimal(0), False),
        (Kind.DATE, "2026-01-07T08:00:00", "2026-01-07"),
        (Kind.DATE, "2026/1/7", "2026-01-07"),
        (Kind.DATE, date(2026, 1, 7), "2026-01-07"),
        (Kind.SET, "VIP，华东、 VIP ", frozenset({"VIP", "华东"})),
        (Kind.SET, ["VIP", "a,b"], frozenset({"VIP", "a,b"})),
        (Kind.TEXT, " 华东 ", "华东"),
        (Kind.TEXT, 7, "7"),
    ],
)
def test_a_cell_becomes_a_fact_of_its_columns_type(
    kind: Kind, cell: object, value: FactValue
) -> None:
    found = outside.converted(kind, cell)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("cell", [None, "", "  "])
def test_an_empty_cell_is_no_value_and_no_mistake(kind: Kind, cell: object) -> None:
    assert outside.converted(kind, cell) is None


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        (Kind.INT, "250,000"),
        (Kind.INT, "2.5"),
        (Kind.INT, "1e5"),
        (Kind.INT, "25万"),
        (Kind.INT, True),
        (Kind.INT, 2.5),
        (Kind.INT, float("nan")),
        (Kind.INT, Decimal("Infinity")),
        (Kind.INT, "9" * 30),
        (Kind.NUMBER, "nan"),
        (Kind.NUMBER, "1,5"),
        (Kind.NUMBER, float("inf")),
        (Kind.BOOL, "maybe"),
        (Kind.BOOL, 2),
        (Kind.DATE, "07.01.2026"),
        (Kind.DATE, "2026/2/30"),
        (Kind.DATE, 20260107),
        (Kind.SET, 7),
        (Kind.SET, ["a", 1]),
        (Kind.TEXT, b"bytes"),
        (Kind.TEXT, "x" * 1001),
    ],
)
def test_a_cell_of_another_type_is_not_guessed_at(kind: Kind, cell: object) -> None:
    with pytest.raises(Unconvertible):
        outside.converted(kind, cell)


# --- looking up


def test_a_row_under_the_customers_key_gives_the_fact() -> None:
    assert looked_up('{"customer.x.deal":250000}') == 250_000


def test_a_customer_who_is_not_in_a_fresh_source_has_the_default_and_else_nothing_is_known() -> (
    None
):
    assert looked_up() == 0
    assert looked_up(wanted={DEAL: Wanted(Kind.INT)}) is None


def test_an_empty_cell_is_the_default_and_one_nobody_can_read_is_unknown() -> None:
    assert looked_up("{}") == 0
    assert looked_up('{"customer.x.deal":null}') is None


def test_nothing_is_known_from_a_source_that_is_old_or_was_never_read() -> None:
    old = replace(STATE, made_at=NOW - timedelta(days=1, seconds=1))
    body = '{"customer.x.deal":250000}'

    assert looked_up(body, state=old) is None
    assert looked_up(state=old) is None
    assert looked_up(state=replace(STATE, made_at=None)) is None


def test_nothing_is_known_of_a_customer_whom_no_key_names() -> None:
    keys = outside.keys_of(LIU, [])
    assert looked_up(keys=keys) is None


def test_rows_that_disagree_leave_the_fact_unknown_and_rows_that_agree_do_not() -> None:
    first, second = '{"customer.x.deal":1}', '{"customer.x.deal":2}'

    assert looked_up(first, first) == 1
    assert looked_up(first, second) is None
    assert looked_up(first, "{}") is None
    assert looked_up(first, twice=True) is None


def test_a_value_stored_before_the_column_changed_its_type_is_unknown() -> None:
    assert looked_up('{"customer.x.deal":"250000"}') is None
    as_set = {DEAL: Wanted(Kind.SET)}
    assert looked_up('{"customer.x.deal":["b","a"]}', wanted=as_set) == frozenset({"a", "b"})
    assert looked_up('{"customer.x.deal":7}', wanted=as_set) is None


def test_a_column_that_no_source_fills_is_unknown_whatever_its_default() -> None:
    assert outside.facts_of(WANTED, [], BY_PHONE, NOW) == {}
    other = Sought(replace(STATE, fills=frozenset({"customer.x.other"})), ())
    assert outside.facts_of(WANTED, [other], BY_PHONE, NOW) == {}


def test_the_same_values_are_stored_as_the_same_text() -> None:
    values: dict[str, FactValue | None] = {"b": frozenset({"y", "x"}), "a": None, "c": "一"}
    again = dict(reversed(values.items()))
    assert outside.body_of(values) == outside.body_of(again) == '{"a":null,"b":["x","y"],"c":"一"}'
