"""What owners of customers are asked, and what they were told."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, update

from storage.moments import request_key, user_key
from storage.statements import insert_or_replace
from storage.stored import Stored
from storage.tables import owner_notices, owner_questions
from workflows.owners import Notice, Question

_QUESTION = Stored(Question)

_PUT = insert_or_replace(owner_questions)
_GET = select(owner_questions.c.body).where(
    owner_questions.c.request_id == bindparam("wanted"),
    owner_questions.c.userid == bindparam("member"),
)
_MOVE = (
    update(owner_questions)
    .where(
        owner_questions.c.request_id == bindparam("wanted"),
        owner_questions.c.userid == bindparam("member"),
        owner_questions.c.state == bindparam("old_state"),
    )
    .values(state=bindparam("new_state"), body=bindparam("new_body"))
)
_TOLD = insert_or_replace(owner_notices)
_NOTICE = select(owner_notices.c.told_at, owner_notices.c.last_report).where(
    owner_notices.c.userid == bindparam("member"),
    owner_notices.c.external_userid == bindparam("customer"),
)


class Owners:
    """Questions and notices within one transaction. Userids are found in any case."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, question: Question) -> None:
        """Store a question, over an earlier one of the same request to the same member."""
        values = {"state": question.state.value, "body": _QUESTION.dump(question)}
        row = {"request_id": request_key(question.request_id), "userid": user_key(question.userid)}
        self._connection.execute(_PUT, row | values)

    def get(self, request_id: str, userid: str) -> Question | None:
        """Return what a member is asked because of a request."""
        values = {"wanted": request_key(request_id), "member": user_key(userid)}
        body = self._connection.execute(_GET, values).scalar_one_or_none()
        return None if body is None else _QUESTION.load(body)

    def move(self, old: Question, new: Question) -> bool:
        """Write `new` over `old`; False if it is not in `old.state` any more."""
        values = {
            "wanted": request_key(old.request_id),
            "member": user_key(old.userid),
            "old_state": old.state.value,
            "new_state": new.state.value,
            "new_body": _QUESTION.dump(new),
        }
        return self._connection.execute(_MOVE, values).rowcount == 1

    def notice(self, userid: str, external_userid: str) -> Notice | None:
        """Return what a member was told last of others who want their customer."""
        values = {"member": user_key(userid), "customer": external_userid}
        row = self._connection.execute(_NOTICE, values).first()
        return Notice(userid, external_userid, row.told_at, row.last_report) if row else None

    def told(self, notice: Notice) -> None:
        """Write down what a member was told."""
        values = {"told_at": notice.told_at, "last_report": notice.last_report}
        key = {"userid": user_key(notice.userid), "external_userid": notice.external_userid}
        self._connection.execute(_TOLD, key | values)
