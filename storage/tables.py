"""All tables, their indexes and the triggers that keep the record append-only.

Most tables hold the whole value as JSON in `body`, and beside it only the columns that are
searched, joined or compared; a new optional field of a value needs no migration.

Partial indexes state their condition as literal SQL, and the queries that need them use the very
same text: SQLite ignores a partial index when the query binds the value as a parameter.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    event,
    text,
)

from storage.moments import SEARCHABLE, Moment

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_SERIAL = BigInteger().with_variant(Integer, "sqlite")

WORK_IS_OPEN = text("state = 0")
WORK_IS_LEASED = text("state = 0 AND leased = 1")
WORK_IS_FINISHED = text("state > 0")
REQUEST_IS_OPEN = text("is_open = 1")
REQUEST_IS_PENDING = text("state = 'pending'")
TICKET_IS_LIVE = text("is_open = 1")
REMEDY_IS_OPEN = text("is_open = 1")
GRANT_IS_LIVE = text("is_open = 1")
FREEZE_IS_LIVE = text("is_open = 1")
TRANSFER_IS_OPEN = text("is_open = 1")
WAIVER_IS_LIVE = text("is_open = 1")
AUDIT_HAS_REQUEST = text("request_id <> ''")
AUDIT_HAS_CUSTOMER = text("external_userid <> ''")

# AUTOINCREMENT, because a late worker must never mistake a new row for the one it had claimed.
work = Table(
    "work",
    metadata,
    Column("id", _SERIAL, primary_key=True),
    Column("key", Text, unique=True),
    Column("queue", SmallInteger, nullable=False),
    Column("lane", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("due", Moment, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("leased", SmallInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("error", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("done_at", Moment),
    sqlite_autoincrement=True,
)
Index(
    "ix_work_due",
    work.c.queue,
    work.c.due,
    work.c.lane,
    sqlite_where=WORK_IS_OPEN,
    postgresql_where=WORK_IS_OPEN,
)
Index(
    "ix_work_lane",
    work.c.queue,
    work.c.lane,
    work.c.id,
    sqlite_where=WORK_IS_OPEN,
    postgresql_where=WORK_IS_OPEN,
)
Index(
    "ix_work_leased",
    work.c.leased,
    sqlite_where=WORK_IS_LEASED,
    postgresql_where=WORK_IS_LEASED,
)
Index(
    "ix_work_finished",
    work.c.state,
    work.c.done_at,
    sqlite_where=WORK_IS_FINISHED,
    postgresql_where=WORK_IS_FINISHED,
)

requests = Table(
    "requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("requester", Text, nullable=False),
    Column("requester_name", SEARCHABLE, nullable=False),
    Column("subject_key", Text, nullable=False),
    Column("subject_name", SEARCHABLE, nullable=False),
    Column("external_userid", Text),
    Column("state", Text, nullable=False),
    Column("is_open", SmallInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment),
    Column("decided_at", Moment),
    Column("body", Text, nullable=False),
)
Index(
    "ux_requests_open_key",
    requests.c.key,
    unique=True,
    sqlite_where=REQUEST_IS_OPEN,
    postgresql_where=REQUEST_IS_OPEN,
)
Index(
    "ix_requests_pending",
    requests.c.created_at,
    requests.c.id,
    sqlite_where=REQUEST_IS_PENDING,
    postgresql_where=REQUEST_IS_PENDING,
)
Index("ix_requests_requester", requests.c.requester, requests.c.created_at)
Index("ix_requests_customer", requests.c.external_userid, requests.c.created_at)
# With all that a search through the newest requests looks at.
Index(
    "ix_requests_created_at",
    requests.c.created_at,
    requests.c.subject_name,
    requests.c.requester_name,
    requests.c.id,
)
Index("ix_requests_subject_name", requests.c.subject_name, requests.c.created_at)
Index("ix_requests_requester_name", requests.c.requester_name, requests.c.created_at)

votes = Table(
    "votes",
    metadata,
    Column("request_id", Text, ForeignKey("requests.id"), primary_key=True),
    Column("stage", SmallInteger, primary_key=True),
    Column("userid", Text, primary_key=True),
    Column("answer", Text, nullable=False),
    Column("at", Moment, nullable=False),
)
Index("ix_votes_userid", votes.c.userid, votes.c.at)

# Whose answer a pending request waits for now; empty once it is decided.
request_approvers = Table(
    "request_approvers",
    metadata,
    Column("request_id", Text, ForeignKey("requests.id"), primary_key=True),
    Column("userid", Text, primary_key=True),
    Column("created_at", Moment, nullable=False),
)
Index(
    "ix_request_approvers_userid",
    request_approvers.c.userid,
    request_approvers.c.created_at,
    request_approvers.c.request_id,
)

tickets = Table(
    "tickets",
    metadata,
    Column("state_key", Text, primary_key=True),
    Column("request_id", Text, nullable=False, index=True),
    Column("userid", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("is_open", SmallInteger, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("body", Text, nullable=False),
)
Index(
    "ix_tickets_open",
    tickets.c.userid,
    tickets.c.expires_at,
    sqlite_where=TICKET_IS_LIVE,
    postgresql_where=TICKET_IS_LIVE,
)

remedies = Table(
    "remedies",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("userid", Text, nullable=False),
    Column("external_userid", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("is_open", SmallInteger, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("body", Text, nullable=False),
)
Index(
    "ix_remedies_open",
    remedies.c.external_userid,
    remedies.c.userid,
    sqlite_where=REMEDY_IS_OPEN,
    postgresql_where=REMEDY_IS_OPEN,
)

customers = Table(
    "customers",
    metadata,
    Column("external_userid", Text, primary_key=True),
    Column("name", SEARCHABLE, nullable=False, index=True),
    Column("corp_name", SEARCHABLE, nullable=False, index=True),
    Column("body", Text, nullable=False),
)

relations = Table(
    "relations",
    metadata,
    Column("external_userid", Text, primary_key=True),
    Column("userid", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("body", Text, nullable=False),
)
Index("ix_relations_userid", relations.c.userid, relations.c.external_userid)

relation_phones = Table(
    "relation_phones",
    metadata,
    Column("phone", Text, primary_key=True),
    Column("external_userid", Text, primary_key=True),
    Column("userid", Text, primary_key=True),
)
Index("ix_relation_phones_relation", relation_phones.c.external_userid, relation_phones.c.userid)

cards = Table(
    "cards",
    metadata,
    Column("task_id", Text, primary_key=True),
    Column("request_id", Text, nullable=False, index=True),
    Column("userid", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("body", Text, nullable=False),
)

members = Table(
    "members",
    metadata,
    Column("userid", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

departments = Table(
    "departments",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
)

# One row per thing whose changes others watch for, e.g. 'directory'.
versions = Table(
    "versions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

policies = Table(
    "policies",
    metadata,
    Column("seq", _SERIAL, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("activated_at", Moment, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("report", Text, nullable=False, server_default=""),
)

# Versions of the rules that were proposed, whether or not they came into force.
candidates = Table(
    "candidates",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("is_shadow", SmallInteger, nullable=False),
    Column("proposed_at", Moment, nullable=False),
    Column("body", Text, nullable=False),
)

# Approvals given in advance: the same for the same person, for a while.
waivers = Table(
    "waivers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("requester", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("approver", Text, nullable=False),
    Column("is_open", SmallInteger, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("body", Text, nullable=False),
)
Index(
    "ix_waivers_requester",
    waivers.c.requester,
    waivers.c.action,
    sqlite_where=WAIVER_IS_LIVE,
    postgresql_where=WAIVER_IS_LIVE,
)
Index(
    "ix_waivers_approver",
    waivers.c.approver,
    sqlite_where=WAIVER_IS_LIVE,
    postgresql_where=WAIVER_IS_LIVE,
)

# Permissions that end by themselves.
grants = Table(
    "grants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("userid", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("is_open", SmallInteger, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("body", Text, nullable=False),
)
Index(
    "ix_grants_userid",
    grants.c.userid,
    grants.c.action,
    sqlite_where=GRANT_IS_LIVE,
    postgresql_where=GRANT_IS_LIVE,
)

# Who is away until when, and who decides meanwhile.
absences = Table(
    "absences",
    metadata,
    Column("userid", Text, primary_key=True),
    Column("until", Moment, nullable=False),
    Column("body", Text, nullable=False),
)

freezes = Table(
    "freezes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("is_open", SmallInteger, nullable=False),
    Column("until", Moment, nullable=False),
    Column("body", Text, nullable=False),
)
Index(
    "ix_freezes_until",
    freezes.c.until,
    sqlite_where=FREEZE_IS_LIVE,
    postgresql_where=FREEZE_IS_LIVE,
)

# Customers on their way from one member to another, and those that went.
transfers = Table(
    "transfers",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("external_userid", Text, primary_key=True),
    Column("userid", Text, nullable=False),
    Column("taker", Text, nullable=False),
    Column("is_open", SmallInteger, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("body", Text, nullable=False),
)
Index("ix_transfers_customer", transfers.c.external_userid, transfers.c.asked_at)
Index(
    "ix_transfers_open",
    transfers.c.userid,
    transfers.c.taker,
    sqlite_where=TRANSFER_IS_OPEN,
    postgresql_where=TRANSFER_IS_OPEN,
)

# Customer groups as WeCom last showed them, and the outsiders in them.
chats = Table(
    "chats",
    metadata,
    Column("chat_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("seen_at", Moment, nullable=False, index=True),
    Column("body", Text, nullable=False),
)

chat_members = Table(
    "chat_members",
    metadata,
    Column("external_userid", Text, primary_key=True),
    Column("chat_id", Text, primary_key=True, index=True),
    Column("body", Text, nullable=False),
)

# Which adds were lines of one list.
list_parts = Table(
    "list_parts",
    metadata,
    Column("list_id", Text, primary_key=True),
    Column("request_id", Text, primary_key=True),
)

# Rows of outside sources, each under a key that names a customer. A generation is one reading; the
# state says which one counts, so that a reading takes effect as a whole.
source_rows = Table(
    "source_rows",
    metadata,
    Column("source", Text, primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),
    Column("twice", SmallInteger, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

source_states = Table(
    "source_states",
    metadata,
    Column("name", Text, primary_key=True),
    Column("generation", Integer, nullable=False),  # 0: nothing was read yet
    Column("staging", Integer, nullable=False),  # the newest reading that was begun
    Column("body", Text, nullable=False),
)

nodes = Table(
    "nodes",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seen_at", Moment, nullable=False),
    Column("body", Text, nullable=False),
)

drafts = Table(
    "drafts",
    metadata,
    Column("userid", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("expires_at", Moment, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("userid", Text, nullable=False),
    Column("external_userid", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("prev", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
Index(
    "ix_audit_request",
    audit.c.request_id,
    audit.c.seq,
    sqlite_where=AUDIT_HAS_REQUEST,
    postgresql_where=AUDIT_HAS_REQUEST,
)
Index(
    "ix_audit_customer",
    audit.c.external_userid,
    audit.c.seq,
    sqlite_where=AUDIT_HAS_CUSTOMER,
    postgresql_where=AUDIT_HAS_CUSTOMER,
)

# The newest record's place and hash: without it, cutting off the end would leave a valid chain.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)

SQLITE_TRIGGERS = (
    """CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END""",
    """CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END""",
)
POSTGRESQL_TRIGGERS = (
    """CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$""",
    """CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()""",
    """CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()""",
)


def _protect(_table: Table, connection: Connection, **_: object) -> None:
    is_sqlite = connection.dialect.name == "sqlite"
    for statement in SQLITE_TRIGGERS if is_sqlite else POSTGRESQL_TRIGGERS:
        connection.exec_driver_sql(statement)


event.listen(audit, "after_create", _protect)
