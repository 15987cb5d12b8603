"""导出客户: a file of customers, made when it is sent and kept nowhere."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass

from bot.actions import colleagues, deciding, export_rows, filing, judging, rejudging
from bot.actions.export_rows import EXPORT, Row
from bot.actions.scene import Scene
from workflows import exports, facts, masking
from workflows.claims import Claim
from workflows.exports import COLUMNS, MOST_ROWS, Line
from workflows.mistakes import near
from workflows.model import Origin, Request, State, Subject
from workflows.plans import Export
from workflows.sections import CustomerGroup, Tier
from workflows.steps import Executed, Refused

_TEAM = frozenset({"团队", "我的团队", "team", "my team"})
_ALL = frozenset({"全部", "所有", "公司", "all", "everybody", "company"})
_OWN = frozenset({"我的", "自己", "mine", "my own"})


@dataclass(frozen=True, slots=True)
class File:
    """A file as it leaves, and what the record keeps of it."""

    name: str
    content: bytes
    rows: int

    @property
    def sha256(self) -> str:
        """What names this very file, and tells nothing of what is in it."""
        return hashlib.sha256(self.content).hexdigest()


# Asked for


def ask(scene: Scene, userid: str, text: str) -> None:
    """Take a command: whose customers, and which of them. Raises Refused."""
    members, scope, rest = _scope(scene, userid, text)
    tier, group = _filter(scene, rest)
    plan = Export(tuple(members), tier, group)
    _file(scene, userid, plan, _title(scene, scope, tier or group))


def _scope(scene: Scene, userid: str, text: str) -> tuple[list[str], str, str]:
    """Return whose customers are meant, how that is called, and the words that are left."""
    words = text.replace("，", " ").replace(",", " ").split()
    words = words[1:] if words and words[0].lower() == "of" else words
    own = scene.person(userid)
    for count in range(len(words), 0, -1):
        said, rest = " ".join(words[:count]), " ".join(words[count:])
        if said.lower() in _OWN:
            return [own.userid], own.name, rest
        if said.lower() in _TEAM:
            return _team(scene, userid), scene.company("export.team", name=own.name), rest
        if said.lower() in _ALL:
            return colleagues.visible_to(scene, userid), scene.company("export.all"), rest
        if colleagues.found(scene, said):
            member = colleagues.named(scene, said)
            if member != own.userid and not colleagues.is_above(scene, userid, member):
                raise Refused("not_for_you")
            return [member], scene.person(member).name, rest
    return [own.userid], own.name, " ".join(words)


def _team(scene: Scene, userid: str) -> list[str]:
    team = colleagues.team_of(scene, userid)
    if not team:
        raise Refused("no_team")
    return team


def _filter(scene: Scene, words: str) -> tuple[str, str]:
    """Return the tier and the group that are meant by name or title. Raises Refused."""
    wanted = words.strip().casefold()
    if not wanted:
        return "", ""
    for tier in scene.book.tier:
        if wanted in _called(tier):
            return tier.name, ""
    for group in scene.book.group:
        if wanted in _called(group):
            return "", group.name
    shown = tuple(dict.fromkeys(export_rows.titles(scene).values()))
    if meant := near(words, shown):
        raise Refused("unknown_filter_near", what=words, meant=meant, filters=shown)
    raise Refused("unknown_filter", what=words, filters=shown)


def _called(kind: Tier | CustomerGroup) -> set[str]:
    return {kind.name.casefold(), kind.title.casefold()} - {""}


def _title(scene: Scene, scope: str, kind: str) -> str:
    key = "export.title_kind" if kind else "export.title"
    return scene.company(key, scope=scope, kind=export_rows.titles(scene).get(kind, kind))


def _file(scene: Scene, userid: str, plan: Export, title: str) -> None:
    rows = export_rows.chosen(scene, userid, plan, scene.now)
    if not rows:
        raise Refused("nothing_to_export", what=title)
    if len(rows) > MOST_ROWS:
        raise Refused("export_too_many", count=len(rows), most=MOST_ROWS)
    base = {**judging.acting(scene, userid), **facts.of_wish(count=len(rows))}
    names = [_shown_name(row) for row in rows]
    chosen, verdict = rejudging.judge(scene, EXPORT, [{**base, **row.facts} for row in rows], names)
    request = Request(
        id=scene.new_id(),
        action=EXPORT,
        origin=Origin.ASKED,
        requester=scene.person(userid),
        subject=Subject(_key(plan), title),
        claim=Claim(),
        facts=chosen,
        verdict=verdict,
        created_at=scene.now,
        plan=plan,
    )
    filing.file(scene, request)


def _shown_name(row: Row) -> str:
    name = row.customer.name
    return name if row.is_own else masking.mask_name(name)


def _key(plan: Export) -> str:
    members = hashlib.sha256("|".join(plan.members).lower().encode()).hexdigest()[:16]
    return f"export:{members}:{plan.tier}:{plan.group}"


def again(scene: Scene, userid: str, request: Request, plan: Export) -> None:
    """Ask once more, by the rules and the people of now. Raises Refused."""
    allowed = {each.lower() for each in colleagues.visible_to(scene, userid)}
    if not {each.lower() for each in plan.members} <= allowed:
        raise Refused("not_for_you")
    _file(scene, userid, plan, request.subject.name)


# Sent


def build(scene: Scene, request: Request, plan: Export) -> File:
    """Return the file of an approved request, what its reader may not see masked."""
    userid = request.requester.userid
    rows = export_rows.chosen(scene, userid, plan, request.created_at)[:MOST_ROWS]
    full = export_rows.sees_all(scene, request)
    lines = [_line(scene, row) for row in rows]
    shown = [
        line if full or row.is_own else exports.masked(line)
        for row, line in zip(rows, lines, strict=True)
    ]
    headings = [str(scene.company(f"export.column.{name}")) for name in COLUMNS]
    content = exports.file_of(shown, headings, _watermark(scene, request, len(rows)), request.id)
    return File(f"customers-{request.id}.csv", content, len(rows))


def _line(scene: Scene, row: Row) -> Line:
    titles = export_rows.titles(scene)
    added = row.relation.added_at
    unknown = str(scene.company("word.unknown"))
    return Line(
        name=row.customer.name,
        company=row.customer.corp_name,
        tier=unknown if row.tier is None else titles.get(row.tier, row.tier),
        groups=tuple(sorted(titles.get(each, each) for each in row.groups or ())),
        tags=tuple(sorted(row.relation.tags)),
        owner=scene.person(row.relation.userid).name,
        added_at=f"{added.astimezone(scene.zone):%Y-%m-%d %H:%M}" if added else "",
        phones=row.relation.phones,
    )


def _watermark(scene: Scene, request: Request, count: int) -> str:
    at = (request.decided_at or request.created_at).astimezone(scene.zone)
    who = request.requester
    return scene.company(
        "export.watermark",
        id=request.id,
        name=who.name,
        userid=who.userid,
        at=f"{at:%Y-%m-%d %H:%M}",
        count=count,
    )


def leaves(scene: Scene, request: Request, file: File) -> None:
    """Write down what is about to leave, before it does: its size, count and SHA-256."""
    scene.record(
        "export.built",
        request,
        rows=file.rows,
        bytes=len(file.content),
        sha256=file.sha256,
        scope=request.subject.name,
    )


def sent(scene: Scene, request: Request, file: File) -> None:
    """Take note that the file has been delivered, and tell how to find it on record."""
    scene.record("export.sent", request, rows=file.rows, sha256=file.sha256)
    with suppress(Refused):
        if request.state in {State.APPROVED, State.EXECUTION_FAILED}:
            deciding.advance(scene, request, Executed())
    to = [request.requester.userid]
    scene.tell(to, "export.sent", id=request.id, count=file.rows, sha256=file.sha256[:12])
