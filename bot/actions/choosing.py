"""Which customers a command is about: whose they are, who is meant by a name, and asking back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from pydantic import TypeAdapter

from bot.actions import colleagues
from bot.actions.scene import Scene
from bot.texts import joined
from workflows import choosing, masking
from workflows.choosing import Candidate
from workflows.model import Customer, Relation, same_user
from workflows.steps import Refused

DRAFT = "choice"
_DRAFT_LIVES = timedelta(minutes=30)
_MOST_CHOICES = 8


@dataclass(frozen=True, slots=True)
class Wish:
    """A command about customers as it was typed, and what is settled of it so far."""

    verb: str  # the name in the table of verbs: 'transfer', 'tag', 'untag'
    whom: str  # '张总、王总', '李雷的张总', 'all'
    rest: str = ""
    tags: tuple[str, ...] = ()
    picked: Mapping[str, str] = field(default_factory=dict)  # name as typed → external_userid


@dataclass(frozen=True, slots=True)
class _Question:
    """What was asked back: who is meant by `name`, of these."""

    wish: Wish
    name: str
    among: tuple[str, ...]  # external_userids, in the order of their numbers


_QUESTION = TypeAdapter(_Question)


@dataclass(frozen=True, slots=True)
class Known:
    """A customer whom a command is about."""

    relation: Relation
    customer: Customer

    @property
    def called(self) -> str:
        """Return the name to speak of them by."""
        return self.customer.name or self.relation.remark


def whose(scene: Scene, userid: str, whom: str) -> tuple[str, str]:
    """Return whose customers are meant, and the words for them. Raises Refused.

    Those of others only to who leads them, and to admins.
    """
    own = {(known.customer.name, known.relation.remark) for known in _of(scene, userid).values()}
    if any(whom in called for called in own):
        return scene.person(userid).userid, whom  # a customer whose name looks like 'X的Y'
    for who, what in choosing.owner_and_rest(whom):
        owners = colleagues.found(scene, who) or colleagues.disabled(scene, who)
        if owners:
            owner = owners[0] if len(owners) == 1 else colleagues.named(scene, who)
            if not same_user(owner, userid) and not colleagues.is_above(scene, userid, owner):
                raise Refused("not_for_you")
            return owner, what
    return scene.person(userid).userid, whom


def meant(scene: Scene, userid: str, wish: Wish, owner: str, words: str) -> list[Known] | None:
    """Return which customers of `owner` are meant; None if that was asked back. Raises Refused."""
    return meant_of(scene, userid, wish, _of(scene, owner), (scene.person(owner).name, words))


def meant_of(
    scene: Scene, userid: str, wish: Wish, mine: Mapping[str, Known], said: tuple[str, str]
) -> list[Known] | None:
    """Return the same of these customers; `said` is whose they are and the words for them."""
    owner, words = said
    if choosing.means_all(words):
        return list(mine.values())
    candidates = [_candidate(known) for known in mine.values()]
    chosen: dict[str, Known] = {}
    for name in choosing.names_in(words, candidates):
        picked = wish.picked.get(name, name)
        found = choosing.find(picked, candidates)
        if found.sure is None and found.choices:
            _ask_back(scene, userid, _Question(wish, name, ()), found.choices)
            return None
        if found.sure is None:
            raise Refused("no_such_customer", who=name, owner=owner)
        chosen[found.sure.external_userid] = mine[found.sure.external_userid]
    return list(chosen.values())


def _of(scene: Scene, owner: str) -> dict[str, Known]:
    found = scene.tx.relations.customers_of(owner)
    return {customer.external_userid: Known(relation, customer) for relation, customer in found}


def _candidate(known: Known) -> Candidate:
    customer = known.customer
    return Candidate(
        customer.external_userid, customer.name, known.relation.remark, customer.corp_name
    )


def _ask_back(
    scene: Scene, userid: str, question: _Question, choices: tuple[Candidate, ...]
) -> None:
    """List who may be meant, to be answered by a number."""
    shown = choices[:_MOST_CHOICES]
    question = replace(question, among=tuple(each.external_userid for each in shown))
    body = _QUESTION.dump_json(question).decode()
    scene.tx.drafts.put(userid, DRAFT, body, scene.now + _DRAFT_LIVES)
    head = scene.mine("choose.head", name=question.name)
    lines = [
        scene.mine("choose.line", number=number, who=_described(scene, each))
        for number, each in enumerate(shown, 1)
    ]
    key = "choose.foot_more" if len(choices) > len(shown) else "choose.foot"
    scene.answer(userid, joined([head, *lines, scene.mine(key)]))


def _described(scene: Scene, candidate: Candidate) -> str:
    """Return what tells a customer from others of the same name; phone numbers masked."""
    relations = scene.tx.relations.of_customer(candidate.external_userid)
    phones = {masking.mask_phone(phone) for each in relations for phone in each.phones}
    remark = candidate.remark if candidate.remark != candidate.name else ""
    parts = (candidate.name, remark, candidate.company, *sorted(phones))
    return " · ".join(part for part in parts if part)


def answered(scene: Scene, userid: str, body: str, text: str) -> Wish | None:
    """Take the number somebody answered with; None, and asked again, if it is none of those."""
    question = _QUESTION.validate_json(body)
    number = masking.narrow(text).strip(" .。")
    if not number.isdecimal() or not 1 <= int(number) <= len(question.among):
        scene.tell([userid], "choose.number", most=len(question.among))
        return None
    scene.tx.drafts.drop(userid)
    wish, external = question.wish, question.among[int(number) - 1]
    return replace(wish, picked={**wish.picked, question.name: external})
