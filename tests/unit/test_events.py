"""Every documented callback becomes the event it means; a broken one says which field is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest

from bot import events
from bot.events import (
    AgentEntered,
    CardMenuPressed,
    CardPressed,
    ChatChange,
    ChatChanged,
    ContactAdded,
    ContactDeleted,
    ContactEdited,
    DirectoryChange,
    DirectoryChanged,
    Event,
    Malformed,
    MenuClicked,
    OtherSaid,
    Subscribed,
    TagChange,
    TagChanged,
    TextSaid,
    TransferFailed,
    Unknown,
    Unsubscribed,
)
from tests.makers_door import SAMPLES, sample

ADDED_AT = datetime.fromtimestamp(1767230042, UTC)
AT = datetime.fromtimestamp(1767231000, UTC)
MEI = "Mei.Zhou"
CUSTOMER = "wmDemo00000000000000000000000A1"
RELATION = f"rel:mei.zhou:{CUSTOMER}"
SELECTED = {"reason": ("r_dup",), "tags": ("a", "b")}

# file, event, kind, lane
CASES: list[tuple[str, Event, str, str]] = [
    (
        "contact_added",
        ContactAdded(MEI, CUSTOMER, ADDED_AT, False, "mw-7K2Q-A17", "demo-welcome-code-1"),
        "contact.added",
        RELATION,
    ),
    (
        "contact_added_half",
        ContactAdded(MEI, CUSTOMER, ADDED_AT, True, "", "demo-welcome-code-2"),
        "contact.added",
        RELATION,
    ),
    ("contact_edited", ContactEdited(MEI, CUSTOMER, ADDED_AT), "contact.edited", RELATION),
    (
        "contact_deleted_by_member",
        ContactDeleted(MEI, CUSTOMER, ADDED_AT, True, "DELETE_BY_TRANSFER"),
        "contact.deleted",
        RELATION,
    ),
    (
        "contact_deleted_by_customer",
        ContactDeleted(MEI, CUSTOMER, ADDED_AT, False),
        "contact.deleted",
        RELATION,
    ),
    (
        "contact_transfer_failed",
        TransferFailed(MEI, CUSTOMER, ADDED_AT, "customer_refused"),
        "contact.transfer_failed",
        RELATION,
    ),
    (
        "contact_archive_consent",
        Unknown("change_external_contact", "msg_audit_approved", ADDED_AT),
        "unknown",
        "other",
    ),
    (
        "chat_member_joined",
        ChatChanged(
            "wrDemoChat0001",
            AT,
            ChatChange.UPDATE,
            "add_member",
            3,
            0,
            (CUSTOMER, "mei.zhou"),
            "11aa22bb33cc44dd55ee66ff77008899",
            "99887700ff66ee55dd44cc33bb22aa11",
        ),
        "chat.changed",
        "chat:wrDemoChat0001",
    ),
    (
        "chat_dismissed",
        ChatChanged("wrDemoChat0001", AT, ChatChange.DISMISS),
        "chat.changed",
        "chat:wrDemoChat0001",
    ),
    (
        "tag_deleted",
        TagChanged(AT, TagChange.DELETE, "etDemoTag0001", "tag"),
        "tag.changed",
        "tags",
    ),
    ("tag_shuffled", TagChanged(AT, TagChange.SHUFFLE), "tag.changed", "tags"),
    (
        "link_exhausted",
        Unknown("customer_acquisition", "balance_exhausted", AT),
        "unknown",
        "other",
    ),
    (
        "card_pressed",
        CardPressed(
            "tan_hao",
            "approve",
            "mw-A7K2-1-9",
            AT,
            "button_interaction",
            "demo-response-code",
            SELECTED,
        ),
        "card.pressed",
        "request:A7K2",
    ),
    (
        "card_menu_pressed",
        CardMenuPressed("tan_hao", "why", "mw-A7K2-1-9", AT, "text_notice", "demo-response-code"),
        "card.menu",
        "request:A7K2",
    ),
    ("menu_clicked", MenuClicked(MEI, "mine", AT), "menu.clicked", "member:mei.zhou"),
    ("app_entered", AgentEntered(MEI, AT), "app.entered", "member:mei.zhou"),
    ("app_subscribed", Subscribed(MEI, AT), "app.subscribed", "member:mei.zhou"),
    ("app_unsubscribed", Unsubscribed(MEI, AT), "app.unsubscribed", "member:mei.zhou"),
    (
        "directory_user_renamed",
        DirectoryChanged(AT, DirectoryChange.UPDATE_USER, "mei.zhou", "mei.lin"),
        "directory.changed",
        "directory",
    ),
    (
        "directory_department_created",
        DirectoryChanged(AT, DirectoryChange.CREATE_PARTY, department=12),
        "directory.changed",
        "directory",
    ),
    (
        "directory_tag_updated",
        DirectoryChanged(AT, DirectoryChange.UPDATE_TAG, tag_id=3),
        "directory.changed",
        "directory",
    ),
    (
        "message_text",
        TextSaid(MEI, "加 张总 某某公司 <b>&amp;</b>", "8812345678901234567", AT),
        "message.text",
        "member:mei.zhou",
    ),
    ("message_image", OtherSaid(MEI, "image", AT), "message.other", "member:mei.zhou"),
]


@pytest.mark.parametrize(("name", "event", "kind", "lane"), CASES, ids=[c[0] for c in CASES])
def test_a_documented_callback_becomes_its_event(
    name: str, event: Event, kind: str, lane: str
) -> None:
    parsed = events.parse(sample(name))
    assert parsed == event
    assert events.kind(parsed) == kind
    assert events.lane(parsed) == lane


def test_every_sample_and_every_event_is_in_the_table() -> None:
    assert {path.stem for path in SAMPLES.glob("*.xml")} == {case[0] for case in CASES}
    assert {type(case[1]) for case in CASES} == set(get_args(Event))


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("contact_added", "UserID"),
        ("contact_added", "ExternalUserID"),
        ("contact_added", "CreateTime"),
        ("contact_added", "MsgType"),
        ("contact_added", "Event"),
        ("contact_transfer_failed", "FailReason"),
        ("chat_dismissed", "ChatId"),
        ("chat_dismissed", "ChangeType"),
        ("tag_deleted", "Id"),
        ("card_pressed", "FromUserName"),
        ("card_pressed", "EventKey"),
        ("card_pressed", "TaskId"),
        ("card_menu_pressed", "TaskId"),
        ("menu_clicked", "EventKey"),
        ("directory_user_renamed", "UserID"),
        ("directory_department_created", "Id"),
        ("directory_tag_updated", "TagId"),
        ("message_text", "MsgId"),
        ("message_image", "FromUserName"),
    ],
)
def test_a_missing_field_is_named(name: str, field: str) -> None:
    without = sample(name).replace(f"<{field}>".encode(), b"<Other>")
    without = without.replace(f"</{field}>".encode(), b"</Other>")
    with pytest.raises(Malformed, match=f"^{field} missing$"):
        events.parse(without)


def test_a_field_given_twice_is_not_guessed_at() -> None:
    twice = sample("contact_added").replace(b"<State>", b"<UserID>x</UserID><State>")
    with pytest.raises(Malformed, match=r"^UserID repeated$"):
        events.parse(twice)


@pytest.mark.parametrize(
    "time", ["0", "-1", "soon", "1767230042.5", "9" * 30, "4102444800", "\u0661"]
)
def test_a_time_that_is_none_is_malformed(time: str) -> None:
    with pytest.raises(Malformed, match=r"^CreateTime"):
        events.parse(sample("contact_edited").replace(b"1767230042", time.encode()))


@pytest.mark.parametrize("field", ["UserID", "ExternalUserID"])
def test_an_id_too_long_for_an_index_is_malformed(field: str) -> None:
    long = sample("contact_edited").replace(
        f"<{field}>".encode(), f"<{field}>{'长' * 300}".encode()
    )
    with pytest.raises(Malformed, match=f"^{field} too long$"):
        events.parse(long)


@pytest.mark.parametrize(
    "name", ["contact_edited", "chat_dismissed", "tag_deleted", "directory_tag_updated"]
)
def test_a_change_nobody_has_documented_yet_is_kept_as_unknown(name: str) -> None:
    known = events.parse(sample(name))
    xml = sample(name)
    start, end = xml.index(b"<ChangeType>"), xml.index(b"</ChangeType>")
    xml = xml[:start] + b"<ChangeType>brand_new" + xml[end:]
    event = events.parse(xml)
    assert isinstance(event, Unknown)
    assert event.change_type == "brand_new"
    assert event.created_at == known.created_at


def test_one_item_is_still_a_list() -> None:
    xml = sample("chat_member_joined").replace(b"<Item>mei.zhou</Item>", b"")
    event = events.parse(xml)
    assert isinstance(event, ChatChanged)
    assert event.members == (CUSTOMER,)


def test_plain_text_and_cdata_mean_the_same() -> None:
    plain = sample("card_pressed").replace(b"<![CDATA[", b"").replace(b"]]>", b"")
    assert events.parse(plain) == events.parse(sample("card_pressed"))


def test_what_a_member_wrote_is_kept_to_the_letter() -> None:
    xml = sample("message_text").replace("加 张总".encode(), "  加\n 张总".encode())
    event = events.parse(xml)
    assert isinstance(event, TextSaid)
    assert event.text.startswith("  加\n 张总")


def test_spellings_of_a_userid_share_a_lane() -> None:
    event = ContactEdited(MEI, CUSTOMER, AT)
    assert events.lane(event) == events.lane(replace(event, userid="MEI.zhou"))


@pytest.mark.parametrize("task", ["fg-A17-1", "mw-", "mw--1", "mw-A7K2", "x-mw-A7K2-1"])
def test_a_card_that_is_no_requests_belongs_to_its_presser(task: str) -> None:
    assert events.lane(CardPressed("Tan_Hao", "ok", task, AT)) == "member:tan_hao"
