"""What somebody sees who has to agree to a transfer, to tags or to an export of customers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from bot.actions import export_rows, judging, knowing, moving, takeover_cards
from bot.actions.performing import ONLY_TOLD
from bot.actions.scene import Scene
from bot.cards import Sheet
from bot.texts import Text
from workflows import masking, policy, transfers
from workflows.masking import plain
from workflows.model import Request, State, same_user
from workflows.plans import Export, Tagging, TakeOver, Transfer

_LISTED = 30  # customers named in the details

Rows = Iterable[tuple[str, str]]


def completed(scene: Scene, request: Request, sheet: Sheet) -> Sheet:
    """Return the sheet with what its approver needs to know, where it is about customers."""
    match request.plan:
        case Transfer() as plan:
            rows, lines = _transfer(scene, request, plan, sheet)
        case TakeOver() as plan:
            return takeover_cards.completed(scene, request, plan, sheet)
        case Tagging() as plan:
            rows, lines = _tagging(scene, plan, sheet), ()
        case Export() as plan:
            rows, lines = _export(scene, request, plan), ()
        case None if request.action in ONLY_TOLD:
            rows, lines = _told(scene, request, sheet), ()
        case _:
            return sheet
    return replace(
        sheet,
        rows=tuple((label, value) for label, value in rows if value),
        lines=(*_more(scene, sheet), *lines),
    )


def _label(scene: Scene, kind: str, name: str) -> str:
    return scene.company(f"card.{kind}.{name}")


def _kinds(scene: Scene, sheet: Sheet) -> str:
    """Return tier, groups and tags in one line."""
    parts = [sheet.tier or "", *(sheet.groups or ()), *(sheet.tags or ())]
    return " · ".join(plain(each) for each in parts if each) or scene.company("word.unknown")


def _person(scene: Scene, userid: str) -> str:
    """Return a member by name, department and position."""
    member = scene.directory.member(userid)
    units = scene.directory.departments if member else {}
    unit = units.get(member.main_department or 0) if member else None
    own = [unit.name] if unit else []
    parts = [scene.person(userid).name, *own, member.position if member else ""]
    return " · ".join(plain(each) for each in parts if each)


def _transfer(
    scene: Scene, request: Request, plan: Transfer, sheet: Sheet
) -> tuple[Rows, Sequence[str]]:
    names = [knowing.name_of(scene, each) for each in plan.customers]
    rows = {
        "giver": _person(scene, plan.of),
        "taker": _person(scene, plan.to),
        "count": str(len(plan.customers)),
        "kinds": _kinds(scene, sheet),
        "names": scene.company.listed(names),
        "often": _often(scene, plan) if request.state is State.PENDING else "",
    }
    labelled = ((_label(scene, "transfer", key), value) for key, value in rows.items())
    return labelled, list(_customers(scene, request, plan))


def _often(scene: Scene, plan: Transfer) -> str:
    """Return how often the most moved of them has been transferred within WeCom's 90 days."""
    earlier = (moving.of_late(scene, each) for each in plan.customers)
    most = max(len(transfers.counted(each, scene.now)) for each in earlier)
    return scene.company("card.transfer.often_value", count=most) if most else ""


def _customers(scene: Scene, request: Request, plan: Transfer) -> Iterator[Text]:
    for each in plan.customers[:_LISTED]:
        known = judging.about(scene, request.requester.userid, each)
        tier, groups = policy.classify(scene.policy, known, request.created_at)
        titles = export_rows.titles(scene)
        kinds = [titles.get(each, "") for each in (tier or "", *sorted(groups or ()))]
        said = " · ".join(kind for kind in kinds if kind) or scene.company("word.unknown")
        name = knowing.name_of(scene, each)
        yield scene.company("card.transfer.line", name=name, kinds=said)


def _tagging(scene: Scene, plan: Tagging, sheet: Sheet) -> Rows:
    rows = {
        "owner": _person(scene, plan.userid),
        "add": scene.company.listed(plan.add) if plan.add else "",
        "remove": scene.company.listed(plan.remove) if plan.remove else "",
        "kinds": _kinds(scene, sheet),
        "company": masking.mask_text(sheet.company),
    }
    return [(_label(scene, "tag", key), value) for key, value in rows.items()]


def _told(scene: Scene, request: Request, sheet: Sheet) -> Rows:
    followers = scene.company.listed(sheet.followers or ())
    rows = {
        "member": _person(scene, request.requester.userid),
        "company": masking.mask_text(sheet.company),
        "kinds": _kinds(scene, sheet),
        "followers": followers or scene.company("card.value.no_followers"),
        "tag": str(request.facts.get("request.tag", "")),
    }
    return [(_label(scene, "told", key), value) for key, value in rows.items()]


def _export(scene: Scene, request: Request, plan: Export) -> Rows:
    members = [scene.person(each).name for each in plan.members]
    wanted = plan.tier or plan.group
    rows = {
        "scope": request.subject.name,
        "count": str(request.facts.get("request.count", "")),
        "members": scene.company.listed(members),
        "filter": export_rows.titles(scene).get(wanted, wanted),
        "phones": scene.company(f"card.export.phones_{_shown(scene, request, plan)}"),
    }
    return [(_label(scene, "export", key), value) for key, value in rows.items()]


def _shown(scene: Scene, request: Request, plan: Export) -> str:
    """Return how much of the customers the file will show."""
    if all(same_user(each, request.requester.userid) for each in plan.members):
        return "own"
    return "full" if export_rows.sees_all(scene, request) else "masked"


def _more(scene: Scene, sheet: Sheet) -> Iterator[str]:
    """Return what stands in the long form only: who asks, which rules, who agreed before."""
    who = " · ".join(
        [plain(sheet.requester), *map(plain, sheet.departments[:3]), plain(sheet.position)]
    )
    rules = "; ".join(f"{say or rule_id} ({rule_id})" for rule_id, say in sheet.rules)
    said = {
        "requester": who.strip(" ·"),
        "level": sheet.level,
        "rules": rules,
        "why": "" if sheet.rules else sheet.why,
        "agreed": " ".join(sheet.agreed),
    }
    for label, value in said.items():
        if value:
            yield scene.company(
                "details.line", label=scene.company(f"details.{label}"), value=value
            )
