"""The closed tables of attributes and actions."""

from __future__ import annotations

from workflows import attributes, facts
from workflows.attributes import ACTIONS, BUILT_IN, Kind, Source
from workflows.claims import Claim
from workflows.directory import Directory, Member
from workflows.facts import Counters
from workflows.model import Relation, RelationState


def test_every_attribute_and_action_is_named_in_both_languages() -> None:
    names = [(a.zh, a.en) for a in BUILT_IN.values()] + [(a.zh, a.en) for a in ACTIONS.values()]
    for chinese, english in names:
        assert chinese.strip()
        assert english.strip()
        assert english.isascii()


def test_what_names_a_person_is_marked_as_personal() -> None:
    personal = {a.name for a in BUILT_IN.values() if a.personal}
    assert {"sender.name", "customer.name", "claim.phone", "customer.owners"} <= personal


def test_outside_columns_join_the_built_in_attributes() -> None:
    known = attributes.registry({"customer.x.deal": (Kind.INT, "交易额")})
    assert known["customer.x.deal"].source is Source.OUTSIDE
    assert known["customer.x.deal"].personal
    assert known["customer.tags"] is BUILT_IN["customer.tags"]


def test_every_word_for_a_way_of_adding_can_be_used_in_a_rule() -> None:
    assert set(facts.WAYS.values()) == set(BUILT_IN["contact.way"].words)


def test_every_fact_that_is_gathered_is_an_attribute_of_that_type() -> None:
    member = Member("linmei", "林梅")
    directory = Directory.of([member])
    relation = Relation("linmei", "wm1", RelationState.HALF, add_way=1)
    gathered = {
        **facts.of_sender(member, directory, frozenset({"seller"}), 2),
        **facts.of_plan(),
        **facts.of_contact(relation, directory),
        **facts.of_claim(Claim(signed=True)),
        **facts.of_counters(Counters(1, 2, 3), Counters(1, 2, 3)),
    }
    types = {Kind.TEXT: str, Kind.INT: int, Kind.BOOL: bool, Kind.SET: frozenset}
    for name, value in gathered.items():
        assert type(value) is types[BUILT_IN[name].kind], name
