"""Customers on the way from one member to another (docs 92125, 94081, 94088)."""

from __future__ import annotations

from bot.simulator.records import ACTIVE, FOLLOWED, LEFT, Bond, Member, Relation, Transfer
from bot.simulator.relations import Relations

WAIT = 24 * 3600
DAY = 24 * 3600
YEAR = 365 * DAY
WAITING, DONE, REFUSED, FULL = 2, 1, 3, 4


class Transfers(Relations):
    """A takeover is accepted at once and happens after 24 hours unless the customer refuses.

    `unassigned_lag` is for how many seconds after somebody has left nothing is shown as unassigned.
    """

    unassigned_lag = 0.0

    def transfer_code(self, handover: Member, takeover: Member, external: str) -> int:
        """Why this customer cannot be transferred now, as an errcode; 0 if they can."""
        relation = self.relation(handover.userid, external)
        pending = [one for one in self._of(external) if one.status == WAITING]
        checks = (
            (external not in self.state.customers, 40096),
            (handover.key == takeover.key, 40130),
            (relation is None or relation.bond not in FOLLOWED, 40131),
            (any(one.handover == handover.key for one in pending), 40129),
            (bool(pending), 40100),
            (self._is_full(takeover), 40099),
            (handover.status != LEFT and self._recent(external) >= 2, 40128),
        )
        return next((code for failed, code in checks if failed), 0)

    def begin_transfer(
        self, handover: Member, takeover: Member, external: str, *, message: str = ""
    ) -> Transfer:
        """Accept a takeover."""
        now = self.now()
        transfer = Transfer(handover.key, takeover.key, external, now, now + WAIT)
        transfer.resigned, transfer.message = handover.status == LEFT, message
        transfer.takeover_time = transfer.due
        self.state.transfers.append(transfer)
        return transfer

    def settle_transfers(self) -> None:
        """Carry out what has waited 24 hours; raises the callbacks of doc 92130."""
        now = self.now()
        for transfer in self.state.transfers:
            if transfer.status == WAITING and transfer.due <= now:
                self._settle(transfer)

    def unassigned(self) -> list[Relation]:
        """Relations of members who have left and whom nobody takes over; a refused one is back."""
        self.settle_transfers()
        under_way = {
            (one.handover, one.external_userid)
            for one in self.state.transfers
            if one.status in {WAITING, DONE}
        }
        left = [one for one in self.state.members.values() if self._is_shown(one)]
        return [
            one
            for member in left
            for one in self.state.followed_by(member.userid)
            if (member.key, one.external_userid) not in under_way
        ]

    def _is_shown(self, member: Member) -> bool:
        since = self.now() - member.left_at
        return member.status == LEFT and member.visible and self.unassigned_lag <= since <= YEAR

    def _settle(self, transfer: Transfer) -> None:
        takeover = self.member(transfer.takeover)
        if transfer.external_userid in self.state.refuses_transfer:
            self._fail(transfer, REFUSED, "customer_refused")
        elif self._is_full(takeover) or takeover.status != ACTIVE:
            self._fail(transfer, FULL, "customer_limit_exceed")
        else:
            transfer.status, transfer.takeover_time = DONE, self.now()
            self._hand_over(transfer)
            self._take_over(transfer, takeover)
            self.show_customer(transfer.external_userid)

    def _fail(self, transfer: Transfer, status: int, reason: str) -> None:
        transfer.status, transfer.takeover_time = status, 0
        takeover = self.member(transfer.takeover)
        if self.reports(takeover):
            ids = {"UserID": takeover.userid, "ExternalUserID": transfer.external_userid}
            more = {**ids, "FailReason": reason}
            self.tell_sys("change_external_contact", "transfer_fail", more)

    def _hand_over(self, transfer: Transfer) -> None:
        old = self.relation(transfer.handover, transfer.external_userid)
        if old is not None and old.bond in FOLLOWED:
            old.bond = Bond.DELETED_BY_MEMBER
            if not transfer.resigned:
                source = {"Source": "DELETE_BY_TRANSFER"}
                self._tell_relation(old, "del_external_contact", **source)

    def _take_over(self, transfer: Transfer, takeover: Member) -> None:
        external = transfer.external_userid
        known = self.relation(takeover.userid, external)
        if known is not None and known.bond is Bond.ADDED:
            return
        handed_on = any(
            one.handover == takeover.key and one.status == DONE for one in self._of(external)
        )
        giver = self.member(transfer.handover).userid
        new = Relation(takeover.userid, external, Bond.ADDED, self.now(), 202, giver)
        self.state.put_relation(new)
        self._notice(new)
        if not handed_on:
            self._tell_relation(new, "add_external_contact")

    def _of(self, external: str) -> list[Transfer]:
        return [one for one in self.state.transfers if one.external_userid == external]

    def _recent(self, external: str) -> int:
        since = self.now() - 90 * DAY
        counted = {WAITING, DONE}
        return sum(
            one.at > since and one.status in counted and not one.resigned
            for one in self._of(external)
        )

    def _is_full(self, member: Member) -> bool:
        limit = member.contact_limit
        return limit is not None and len(self.customers_of(member.userid)) >= limit
