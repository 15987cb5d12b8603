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
RELATION_IS_FOLLOWED = text("state IN ('added', 'deleted_by_customer')")
CUSTOMER_HAS_UNIONID = text("unionid <> ''")
COMPANY_HAS_STEM = text("stem <> ''")
AUDIT_HAS_REQUEST = text("request_id <> ''")
HAS_REQUEST = text("request_id <> ''")
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
    Column("unionid", Text, nullable=False, server_default=""),
)
Index(
    "ix_customers_unionid",
    customers.c.unionid,
    sqlite_where=CUSTOMER_HAS_UNIONID,
    postgresql_where=CUSTOMER_HAS_UNIONID,
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
# What WeCom shows of a member: to count it, and to find what it does not show any more.
Index(
    "ix_relations_followed",
    relations.c.userid,
    relations.c.external_userid,
    sqlite_where=RELATION_IS_FOLLOWED,
    postgresql_where=RELATION_IS_FOLLOWED,
)

relation_phones = Table(
    "relation_phones",
    metadata,
    Column("phone", Text, primary_key=True),
    Column("external_userid", Text, primary_key=True),
    Column("userid", Text, primary_key=True),
)
Index("ix_relation_phones_relation", relation_phones.c.external_userid, relation_phones.c.userid)

# Readings of all customers; at most one is open.
readings = Table(
    "readings",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("is_open", SmallInteger, nullable=False),
    Column("step", Integer, nullable=False),
    Column("body", Text, nullable=False),
)

# Since when members are watched, and when they were last read completely.
watched_members = Table(
    "watched_members",
    metadata,
    Column("userid", Text, primary_key=True),
    Column("since", Moment, nullable=False),
    Column("read_at", Moment),
)

# What a reading shows otherwise than it is on file, until WeCom was asked about it once more.
late_finds = Table(
    "late_finds",
    metadata,
    Column("reading", Integer, primary_key=True, autoincrement=False),
    Column("userid", Text, primary_key=True),
    Column("external_userid", Text, primary_key=True),
    Column("what", Text, nullable=False),
    Index("ix_late_finds_what", "reading", "what"),
)

# Names of companies as `workflows.companies` reads them: a row for each place where one begins. The
# stem stands in one row of each. Rows stay when nobody is of the company any more.
company_names = Table(
    "company_names",
    metadata,
    Column("part", SEARCHABLE, primary_key=True),
    Column("core", SEARCHABLE, primary_key=True),
    Column("stem", SEARCHABLE, nullable=False),
)
Index(
    "ix_company_names_stem",
    company_names.c.stem,
    sqlite_where=COMPANY_HAS_STEM,
    postgresql_where=COMPANY_HAS_STEM,
)

# Who is of which company: as a member has noted it, or ('') as WeCom shows it.
company_customers = Table(
    "company_customers",
    metadata,
    Column("core", SEARCHABLE, primary_key=True),
    Column("external_userid", Text, primary_key=True),
    Column("userid", Text, primary_key=True),
)
Index(
    "ix_company_customers_relation",
    company_customers.c.external_userid,
    company_customers.c.userid,
)

# Who wanted to add whom, in the order they came: by what they typed, or by external_userid.
reports = Table(
    "reports",
    metadata,
    Column("seq", _SERIAL, primary_key=True),
    Column("key", Text, nullable=False),
    Column("request_id", Text, nullable=False, index=True),
    Column("userid", Text, nullable=False),
    Column("since", Moment, nullable=False),
)
Index("ix_reports_key", reports.c.key, reports.c.since, reports.c.seq)

# What members ask of colleagues who have a customer, or reported one first.
owner_questions = Table(
    "owner_questions",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("userid", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("body", Text, nullable=False),
)

# When an owner was last told who else wants their customer, and of which reports.
owner_notices = Table(
    "owner_notices",
    metadata,
    Column("userid", Text, primary_key=True),
    Column("external_userid", Text, primary_key=True),
    Column("told_at", Moment, nullable=False),
    Column("last_report", BigInteger, nullable=False),
)

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

# What changed in the directory since the admins were last told: what it was before.
directory_untold = Table(
    "directory_untold",
    metadata,
    Column("name", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

# Whom and what events of the directory were about, until WeCom has been asked.
directory_news = Table(
    "directory_news",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("since", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

# Lists in WeCom's console of whose changes no event tells, as they were read last.
console_lists = Table(
    "console_lists",
    metadata,
    Column("list", Text, primary_key=True),
    Column("item", Text, primary_key=True),
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
# Who has left, once for each time; open until nothing of theirs waits any more.
leavers = Table(
    "leavers",
    metadata,
    Column("userid", Text, primary_key=True),
    Column("left_at", Moment, primary_key=True),
    Column("name", SEARCHABLE, nullable=False, index=True),
    Column("is_open", SmallInteger, nullable=False),
    Column("body", Text, nullable=False),
)

# Customers of people who have left, as WeCom last showed them, and where each is to go.
left_behind = Table(
    "left_behind",
    metadata,
    Column("userid", Text, primary_key=True),
    Column("external_userid", Text, primary_key=True),
    Column("is_open", SmallInteger, nullable=False),  # WeCom shows that nobody has them
    Column("read_at", Moment, nullable=False),
    Column("tier", Text, nullable=False),
    Column("groups", Text, nullable=False),  # '|signed|new|'
    Column("request_id", Text, nullable=False),  # by which they are to go
    Column("taker", Text, nullable=False),
    Column("outcome", Text, nullable=False),  # '' until WeCom has answered
    Column("body", Text, nullable=False),
)
Index(
    "ix_left_behind_request",
    left_behind.c.request_id,
    left_behind.c.outcome,
    left_behind.c.taker,
    left_behind.c.external_userid,
    sqlite_where=HAS_REQUEST,
    postgresql_where=HAS_REQUEST,
)

# Requests that hand over what somebody has left: prepared page by page, then followed.
takeovers = Table(
    "takeovers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

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
