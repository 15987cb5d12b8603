"""A member asks for a list of customers at once: read line by line, made clean, judged, filed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from pydantic import TypeAdapter

from bot.actions import asking, bulk_parts, conflicts, deciding, judging, reasons
from bot.actions.scene import Scene
from bot.pages import paged
from bot.texts import Text
from bot.wording import Words
from workflows import bulk, facts, listing, masking, policy
from workflows.asking import fingerprint, is_question
from workflows.bulk import BULK
from workflows.claims import Claim
from workflows.listing import Entry
from workflows.model import (
    Containment,
    Facts,
    Origin,
    Outcome,
    Relation,
    Request,
    State,
    Subject,
    Verdict,
    same_user,
)
from workflows.plans import BulkAdd, Line
from workflows.steps import Supersede

DRAFT = "list"
_DRAFT_LIVES = timedelta(minutes=30)
_GO_ON = frozenset({"继续", "continue", "go on"})
_ENTRIES = TypeAdapter(tuple[Entry, ...])

Lines = tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class _Judged:
    line: Line
    subject: Subject
    facts: Facts
    verdict: Verdict


# Reading


def ask(scene: Scene, userid: str, text: str) -> None:
    """Take a list, one customer a line; nothing is filed before every line has all it needs."""
    entries = listing.read(text)
    if not entries:
        _keep(scene, userid, ())
        scene.tell([userid], "bulk.send_list", most=listing.MOST)
    elif len(entries) > listing.MOST:
        scene.tx.drafts.drop(userid)
        scene.tell([userid], "bulk.too_many", count=len(entries), most=listing.MOST)
    else:
        _go_on(scene, userid, entries)


def complete(scene: Scene, userid: str, draft: str, said: str) -> None:
    """Take the answer to what lines lack: more of them, the whole list again, or 'continue'."""
    entries = _ENTRIES.validate_json(draft)
    if not entries or listing.is_list(said):
        ask(scene, userid, said)
    elif is_question(said):
        _go_on(scene, userid, entries)  # no line's reason: say again what is lacking
    elif said.strip(" 。.！!").lower() in _GO_ON:
        whole = tuple(each for each in entries if not each.reading.missing)
        _go_on(scene, userid, whole)
    else:
        _go_on(scene, userid, listing.corrected(entries, said))


def _keep(scene: Scene, userid: str, entries: tuple[Entry, ...]) -> None:
    body = _ENTRIES.dump_json(entries).decode()
    scene.tx.drafts.put(userid, DRAFT, body, scene.now + _DRAFT_LIVES)


def _go_on(scene: Scene, userid: str, entries: tuple[Entry, ...]) -> None:
    lacking = listing.unfinished(entries)
    if not lacking:
        scene.tx.drafts.drop(userid)
        submit(scene, userid, (Line(each.number, each.claim) for each in entries))
        return
    _keep(scene, userid, entries)
    say = scene.mine
    head = say("bulk.unfinished", count=len(entries), lacking=len(lacking))
    rows = [_lacking(scene, each) for each in lacking]
    _answer(scene, userid, [head, *rows, say("bulk.how", number=lacking[0].number)])


def _lacking(scene: Scene, entry: Entry) -> Text:
    reading = entry.reading
    missing = tuple(Words(f"asking.{need}") for need in reading.missing)
    return _row(scene, Line(entry.number, reading.claim), "bulk.lacks", missing=missing)


def _row(scene: Scene, line: Line, key: str, **words: object) -> Text:
    """Return what there is to say of one line."""
    row = "bulk.row" if line.claim.name else "bulk.row_unnamed"
    what = scene.mine(key, **words)
    return scene.mine(row, number=line.number, customer=line.claim.name, what=what)


def _answer(scene: Scene, userid: str, lines: Iterable[Text]) -> None:
    for page in paged(lines):
        scene.answer(userid, page)


# Judging


def submit(scene: Scene, userid: str, lines: Iterable[Line]) -> None:
    """Judge a clean list and its lines, and file what is not refused as one request."""
    scene.tx.hold(f"asks:{userid.lower()}")
    wanted, said = _once_each(scene, lines)
    if _joins(scene, userid, wanted):
        return
    wanted, more = _still_open(scene, userid, wanted)
    said += more
    if len(wanted) > 1:
        _file(scene, userid, wanted, said)
        return
    if said:
        _answer(scene, userid, [scene.mine("bulk.left_out"), *said])
    if wanted:
        asking.submit(scene, userid, wanted[0].claim)
    else:
        scene.tell([userid], "bulk.nothing_left")


def _once_each(scene: Scene, lines: Iterable[Line]) -> tuple[Lines, list[Text]]:
    """Return every customer once, and what there is to say of the lines that repeat one."""
    first: dict[str, Line] = {}
    said = []
    for line in lines:
        before = first.setdefault(fingerprint(line.claim), line)
        if before is not line:
            said.append(_row(scene, line, "bulk.twice", first=before.number))
    return tuple(first.values()), said


def _joins(scene: Scene, userid: str, lines: Lines) -> bool:
    """Whether the same list is on its way already; in other words it takes the old one's place."""
    subject = bulk.subject_key(line.claim for line in lines)
    key = f"{userid.lower()}|{BULK}|{subject}|{Origin.ASKED.value}"
    earlier = scene.tx.requests.open_by_key(key)
    if earlier is None:
        return False
    claims = {line.claim for line in lines}
    same = all(line.claim in claims for line in bulk.lines_of(earlier))
    if earlier.state is State.PENDING and not same:
        deciding.advance(scene, earlier, Supersede())
        return False
    again = bulk_parts.try_again(scene, earlier)
    key = "bulk.tried_again" if again else "bulk.joined"
    scene.tell([userid], key, id=earlier.id, state=earlier.state, count=again)
    return True


def _still_open(scene: Scene, userid: str, lines: Lines) -> tuple[Lines, list[Text]]:
    """Return whom there is something to decide about, and what there is to say of all others."""
    listed = {
        fingerprint(line.claim): each.id
        for each in scene.tx.lists.open_of(userid, judging.start_of_week(scene))
        for line in bulk.kept(each)
        if each.state is State.PENDING
    }
    wanted, said = [], []
    for line in lines:
        found = asking.on_file(scene, line.claim)
        relations = asking.followers(scene, found)
        if settled := _settled(scene, userid, line, relations):
            said.append(settled)
            continue
        if other := listed.get(fingerprint(line.claim)):
            said.append(_row(scene, line, "bulk.listed_already", id=other))
            continue
        owners = tuple(each.userid for each in relations)
        if owners:
            names = tuple(masking.mask_name(scene.person(each).name) for each in owners)
            said.append(_row(scene, line, "bulk.colleagues", names=names))
        external = found.external_userid if found else ""
        wanted.append(replace(line, external_userid=external, owners=owners))
    return tuple(wanted), said


def _settled(scene: Scene, userid: str, line: Line, relations: Sequence[Relation]) -> Text | None:
    """Return what to say where the customer is the member's already, or asked for already."""
    mine = next((each for each in relations if same_user(each.userid, userid)), None)
    if mine is not None:
        held = mine.containment is not Containment.NONE
        key = "bulk.yours_but_held" if held else "bulk.yours_already"
        return _row(scene, line, key, id=mine.request_id)
    subject = asking.subject_of(line.claim, asking.on_file(scene, line.claim))
    earlier = asking.running(scene, userid, subject)
    if earlier is None:
        return None
    return _row(scene, line, "bulk.asked_already", id=earlier.id, state=earlier.state)


def _file(scene: Scene, userid: str, lines: Lines, said: list[Text]) -> None:
    known = _facts_of(scene, userid, lines)
    whole = judging.judge(scene, known, BULK)
    if whole.outcome is Outcome.DENY:
        request = deciding.open_request(scene, _draft(scene, userid, lines, known, whole))
        why = reasons.why(scene, request)
        scene.tell([userid], "bulk.denied", id=request.id, count=len(lines), why=why)
        return
    judged = _each_judged(scene, userid, lines)
    good = [each for each in judged if each.verdict.outcome is not Outcome.DENY]
    bad = [each for each in judged if each.verdict.outcome is Outcome.DENY]
    total = bulk.verdict_of(scene.policy, whole, [each.verdict for each in good])
    draft = _draft(scene, userid, tuple(each.line for each in good), known, total)
    for each in good:  # whoever asks while the list waits comes later
        found = asking.on_file(scene, each.line.claim)
        conflicts.file(scene, draft, conflicts.keys_of(found, each.line.claim))
    request = deciding.open_request(scene, draft) if good else draft
    said += [_refuse(scene, request, each, request.id if good else "") for each in bad]
    if good:
        said = [_head(scene, request), *([scene.mine("bulk.left_out"), *said] if said else [])]
    else:
        said = [scene.mine("bulk.all_denied"), *said]
    _answer(scene, userid, said)


def _facts_of(scene: Scene, userid: str, lines: Lines) -> Facts:
    """Return what is known of a list as a whole; of its customers each line knows."""
    wish = facts.of_wish(_reasons(lines), count=len(lines))
    return {**judging.acting(scene, userid), **wish}


def _reasons(lines: Lines) -> str:
    return "；".join(dict.fromkeys(line.claim.reason for line in lines))


def _each_judged(
    scene: Scene, userid: str, lines: Iterable[Line], request: Request | None = None
) -> list[_Judged]:
    """Judge each line as if the earlier ones were granted; `request` is the list, if on file."""
    judged: list[_Judged] = []
    for line in lines:
        found = asking.on_file(scene, line.claim)
        granted = sum(each.verdict.outcome is not Outcome.DENY for each in judged)
        known = judging.of_line(scene, userid, line.claim, found, request)
        known = bulk.ahead(known, granted)
        verdict = judging.judge(scene, known)
        tier, groups = policy.classify(scene.policy, known, scene.now)
        seen = replace(
            line, tier=tier or "", groups=tuple(sorted(groups or ())), missing=verdict.missing
        )
        judged.append(_Judged(seen, asking.subject_of(line.claim, found), known, verdict))
    return judged


def _draft(scene: Scene, userid: str, lines: Lines, known: Facts, verdict: Verdict) -> Request:
    claims = [line.claim for line in lines]
    first = claims[0].name if claims else ""
    name = scene.company("bulk.subject", first=first, count=len(claims))
    return Request(
        id=scene.new_id(),
        action=BULK,
        origin=Origin.ASKED,
        requester=scene.person(userid),
        subject=Subject(bulk.subject_key(claims), name),
        claim=Claim(reason=_reasons(lines)),
        facts=known,
        verdict=verdict,
        created_at=scene.now,
        plan=BulkAdd(lines),
    )


def _refuse(scene: Scene, whole: Request, judged: _Judged, list_id: str) -> Text:
    """File a line that is refused as a request of its own, so that it can be asked why."""
    request = deciding.open_request(
        scene,
        Request(
            id=scene.new_id(),
            action=judging.ADD,
            origin=Origin.ASKED,
            requester=whole.requester,
            subject=judged.subject,
            claim=judged.line.claim,
            facts=judged.facts,
            verdict=judged.verdict,
            created_at=scene.now,
            part_of=list_id,
        ),
    )
    why = reasons.why(scene, request)
    return _row(scene, judged.line, "bulk.line_denied", id=request.id, why=why)


def _head(scene: Scene, request: Request) -> Text:
    words = {"id": request.id, "count": len(bulk.lines_of(request))}
    if request.state is not State.PENDING:
        return scene.mine("bulk.allowed", most=bulk.BATCH, **words)
    return scene.mine(
        "bulk.pending",
        who=tuple(person.name for person in request.approvers),
        due=request.due_at,
        why=reasons.why(scene, request),
        **words,
    )


# Judging again


def judged_again(scene: Scene, request: Request) -> Verdict:
    """Return what the rules of now say of a pending list and of every line of it."""
    whole = policy.decide(scene.policy, request.facts, BULK, scene.now)
    lines = bulk.kept(request)
    judged = _each_judged(scene, request.requester.userid, lines, request)
    return bulk.verdict_of(scene.policy, whole, [each.verdict for each in judged])
