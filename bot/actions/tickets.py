"""Tickets: a contact way (联系我) for one member, bound to one approved request."""

from __future__ import annotations

import secrets
from dataclasses import replace

from bot import outgoing
from bot.actions import conflicts
from bot.actions.scene import Scene
from storage.work import Queue
from workflows.model import Request, Ticket, TicketState
from workflows.schedules import parse_duration

EXPIRY = "ticket_expiry"
_LIVE = frozenset({TicketState.OPEN, TicketState.ISSUING})


def issue(scene: Scene, request: Request) -> None:
    """Order the ticket of an approved request. Its name cannot be guessed from the request's."""
    key = f"mw-{request.id}-{secrets.token_urlsafe(9)}"  # WeCom allows 30 characters
    due = scene.now + parse_duration(scene.book.tickets.expires_after)
    ticket = Ticket(key, request.id, request.requester.userid, TicketState.ISSUING, due)
    scene.tx.tickets.add(ticket)
    scene.send(outgoing.IssueTicket(key, ticket.userid))
    scene.record("ticket.ordered", request, actor="system:menwei", until=due.isoformat())


def issue_again(scene: Scene, ticket: Ticket) -> None:
    """Order a ticket once more that could not be made. It is good for the full time from now.

    One that is under way, by an earlier ask or an admin's replay, is not ordered a second time.
    """
    due = scene.now + parse_duration(scene.book.tickets.expires_after)
    order = outgoing.IssueTicket(ticket.state_key, ticket.userid)
    moved = scene.tx.tickets.move(ticket, replace(ticket, expires_at=due))
    if moved and not scene.tx.work.open_in(Queue.OUTBOX, outgoing.lane(order)):
        scene.send(order)


def issued(scene: Scene, state_key: str, config_id: str, qr_code: str) -> Ticket | None:
    """Note that the contact way exists; one that is no longer wanted is deleted again."""
    old = scene.tx.tickets.get(state_key)
    if old is None or old.state is TicketState.OPEN:  # the member has its code already
        return None
    if old.state is not TicketState.ISSUING:
        wanted = replace(old, config_id=config_id, qr_code=qr_code)
        scene.tx.tickets.move(old, wanted)
        scene.send(outgoing.CloseTicket(state_key))
        return None
    new = replace(old, state=TicketState.OPEN, config_id=config_id, qr_code=qr_code)
    if not scene.tx.tickets.move(old, new):  # taken back this very moment
        return issued(scene, state_key, config_id, qr_code)
    scene.remind(EXPIRY, state_key, new.expires_at)
    return new


def hand_over(scene: Scene, request: Request, ticket: Ticket) -> None:
    """Send the member the QR code, with what to do with it and until when."""
    scene.send(_news(scene, request, ticket), key=f"ticket:{ticket.state_key}")
    scene.record("ticket.issued", request, until=ticket.expires_at.isoformat())


def show_again(scene: Scene, request: Request, ticket: Ticket) -> None:
    """Send the QR code of an open ticket once more."""
    if ticket.state is TicketState.OPEN:
        scene.send(_news(scene, request, ticket))


def _news(scene: Scene, request: Request, ticket: Ticket) -> outgoing.SendNews:
    customer = request.subject.name
    return outgoing.SendNews(
        ticket.userid,
        scene.theirs("ticket.title", customer=customer),
        scene.theirs("ticket.how", id=request.id, customer=customer, until=ticket.expires_at),
        ticket.qr_code,
        ticket.qr_code,
    )


def use(scene: Scene, ticket: Ticket, external_userid: str) -> bool:
    """Note who came with the ticket, and delete the contact way; False if it was used already."""
    if ticket.state is TicketState.USED:
        return ticket.used_by == external_userid
    return _end(scene, ticket, replace(ticket, state=TicketState.USED, used_by=external_userid))


def live(scene: Scene, request: Request) -> Ticket | None:
    """Return the request's ticket if it can still be used, or is being made."""
    ticket = scene.tx.tickets.of_request(request.id)
    return ticket if ticket and ticket.state in _LIVE else None


def revoke(scene: Scene, request: Request) -> bool:
    """Take back the ticket of a request; False if there is none that can be used."""
    ticket = live(scene, request)
    return ticket is not None and _end(scene, ticket, replace(ticket, state=TicketState.REVOKED))


def forgo(scene: Scene, request: Request) -> bool:
    """Take a ticket back that has run out but protects its customer; False if it does not."""
    ticket = scene.tx.tickets.of_request(request.id)
    if ticket is None or ticket.state is not TicketState.EXPIRED:
        return False
    if conflicts.own_standing(scene, request) is None:
        return False
    return _end(scene, ticket, replace(ticket, state=TicketState.REVOKED))


def expire(scene: Scene, state_key: str) -> bool:
    """End a ticket nobody used in time, and tell the member how to get another; False if its time
    is not over yet.
    """
    ticket = scene.tx.tickets.get(state_key)
    if ticket is None or ticket.state is not TicketState.OPEN:
        return True
    if ticket.expires_at > scene.now:
        return False
    if not _end(scene, ticket, replace(ticket, state=TicketState.EXPIRED)):
        return True  # it was used or taken back this very moment
    request = scene.tx.requests.get(ticket.request_id)
    name = request.subject.name if request else ""
    scene.tell([ticket.userid], "ticket.expired", id=ticket.request_id, customer=name)
    return True


def _end(scene: Scene, old: Ticket, new: Ticket) -> bool:
    if not scene.tx.tickets.move(old, new):
        return False
    request = scene.tx.requests.get(old.request_id)
    scene.record(f"ticket.{new.state.value}", request, by=new.used_by)
    if old.state is TicketState.OPEN:
        scene.send(outgoing.CloseTicket(old.state_key))
    return True
