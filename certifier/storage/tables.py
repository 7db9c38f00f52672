"""The tables, for SQLite and PostgreSQL alike. No business logic; migrations/ holds how they came to be.

An entry without an ``idx`` waits for its place in a log. Status is not stored: it follows from the entries. ``in_force``,
``runs`` and ``used_reports`` are reservations, so that the database itself refuses what must not happen twice (DESIGN 21).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

STATEMENT = "disclosed"  # the outcome that is a statement and no certificate
PPT = 1_000_000_000_000  # shares are kept in parts per trillion
SHARE_LIMIT_PPT = 1_000_001_000_000  # LCAL INT-10: 1.000001

metadata = MetaData()
_row_id = BigInteger().with_variant(Integer, "sqlite")

submissions = Table(
    "submissions",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("created_at", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("title", Text, nullable=False),
    Column("artist", Text, nullable=False),
    Column("report_sha256", String(64), nullable=False, index=True),
    Column("audio_sha256", String(64), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("decision", LargeBinary, nullable=False),
    Column(
        "applicant", String(80), index=True
    ),  # did:key of who signed the report; None where nobody can tell any more
)

# Private: no view, record or log has it.
contacts = Table(
    "contacts",
    metadata,
    Column("submission_id", String(40), ForeignKey("submissions.id"), primary_key=True),
    Column("contact", Text, nullable=False),
)

certificates = Table(
    "certificates",
    metadata,
    Column("code", String(10), primary_key=True),
    Column("submission_id", String(40), ForeignKey("submissions.id"), nullable=False, unique=True),
    Column("report_sha256", String(64), nullable=False, unique=True),
    Column("audio_sha256", String(64), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("issued_at", String(20), nullable=False, index=True),
    Column("expires_at", String(20), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("verification_method", Text, nullable=False),
    Column("revocation_index", Integer, nullable=False, unique=True),
    Column("suspension_index", Integer, nullable=False, unique=True),
    Column("in_force", Integer, nullable=False),
    Column("document", LargeBinary),
    Column("proof", LargeBinary),
)
Index(
    "one_certificate_in_force_per_audio",
    certificates.c.audio_sha256,
    unique=True,
    sqlite_where=text("in_force = 1 AND outcome <> 'disclosed'"),
    postgresql_where=text("in_force = 1 AND outcome <> 'disclosed'"),
)
Index("certificates_by_audio", certificates.c.audio_sha256)
Index("certificates_by_expiry", certificates.c.expires_at)
# What waits for its delivery is asked for at every start and by every sweep.
Index(
    "undelivered_certificates",
    certificates.c.code,
    sqlite_where=text("document IS NULL"),
    postgresql_where=text("document IS NULL"),
)

# What the register is searched by, derived from certificate and submission (storage/listings.py).
listings = Table(
    "listings",
    metadata,
    Column("code", String(10), ForeignKey("certificates.code"), primary_key=True),
    Column("issued_at", String(20), nullable=False),
    Column("expires_at", String(20), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("standard", String(60), nullable=False),
    Column("evidence_level", String(4), nullable=False),
    Column("assessed_g_per_min", String(40), nullable=False),
    Column("isrc", String(20), nullable=False),
    Column("essence_sha256", String(64), nullable=False),
    Column("title_key", String(60), nullable=False),
    Column("artist_key", String(60), nullable=False),
    Column("words", Text, nullable=False),
)
Index("listings_by_time", listings.c.issued_at, listings.c.code)
Index("listings_by_title", listings.c.title_key, listings.c.code)
Index("listings_by_artist", listings.c.artist_key, listings.c.code)
Index("listings_by_isrc", listings.c.isrc)
Index("listings_by_essence", listings.c.essence_sha256)

# The other signed forms of a certificate, from the first time that one was asked for.
renditions = Table(
    "renditions",
    metadata,
    Column("code", String(10), ForeignKey("certificates.code"), primary_key=True),
    Column("form", String(20), primary_key=True),
    Column("document", LargeBinary, nullable=False),
)

used_reports = Table(
    "used_reports",
    metadata,
    Column("report_sha256", String(64), primary_key=True),
    Column("code", String(10), nullable=False),
    Column("lost_audio_sha256", String(64), index=True),  # of a certificate in force that only the log still knows
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key_sha256", String(64), primary_key=True),
    Column("request_sha256", String(64), nullable=False),
    Column("submission_id", String(40), ForeignKey("submissions.id"), nullable=False),
    Column("created_at", String(20), nullable=False, index=True),
    Column("told_state", String(20)),
)

# The share of a run that certificates hold together, and the part of each.
runs = Table(
    "runs",
    metadata,
    Column("run", Text, primary_key=True),
    Column("used_ppt", BigInteger, nullable=False),
    CheckConstraint(f"used_ppt BETWEEN 0 AND {SHARE_LIMIT_PPT}", name="no_run_is_used_up_twice"),
)

run_shares = Table(
    "run_shares",
    metadata,
    Column("id", _row_id, primary_key=True),
    Column("run", Text, nullable=False, index=True),
    Column("code", String(10), ForeignKey("certificates.code"), nullable=False, index=True),
    Column("share_ppt", BigInteger, nullable=False),
)

deposited_logs = Table(
    "deposited_logs",
    metadata,
    Column("id", _row_id, primary_key=True),
    Column("submission_id", String(40), ForeignKey("submissions.id"), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    UniqueConstraint("submission_id", "sha256"),
)

# One row for each log (one for each year), the head of its committed tree. ``number`` is their order.
logs = Table(
    "logs",
    metadata,
    Column("origin", String(255), primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("peaks", LargeBinary, nullable=False),
    Column("frozen", Integer, nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("id", _row_id, primary_key=True),
    Column("origin", String(255), ForeignKey("logs.origin")),
    Column("idx", BigInteger),
    Column("type", String(20), nullable=False),
    Column("code", String(10), index=True),
    Column("entry", LargeBinary, nullable=False),
    UniqueConstraint("origin", "idx", name="one_entry_for_each_index"),
    CheckConstraint("(origin IS NULL) = (idx IS NULL)", name="a_place_is_a_log_and_an_index"),
)
Index(
    "waiting_entries",
    entries.c.id,
    sqlite_where=text("idx IS NULL"),
    postgresql_where=text("idx IS NULL"),
)

# ``note`` is what the log signed, one for each size for ever; ``published`` the same with the witnesses' cosignatures.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("origin", String(255), ForeignKey("logs.origin"), primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("note", LargeBinary, nullable=False),
    Column("published", LargeBinary),
)

# Private but for their numbers: no view shows text, place or contact of one.
complaints = Table(
    "complaints",
    metadata,
    Column("receipt", String(20), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("code", String(10), index=True),  # as it was told; it may be no certificate's
    Column("place", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("state", String(20), nullable=False, index=True),
    Column("received_at", String(20), nullable=False, index=True),
    Column("reviewed_at", String(20)),
    Column("closed_at", String(20)),
    Column("outcome", String(20)),
    Column("reason", Text, nullable=False),  # what the sender is told
)

# Of a key's secret only the SHA-256 is kept: it has 256 random bits, so that nothing slower is needed.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("holder", String(100), nullable=False, index=True),
    Column("secret_sha256", String(64), nullable=False),
    Column("scopes", Text, nullable=False),  # words, each after a space
    Column("networks", Text, nullable=False),  # the same; none for any
    Column("created_at", String(20), nullable=False),
    Column("expires_at", String(20)),
    Column("revoked_at", String(20)),
    Column("last_used_at", String(20)),  # to the hour
)

# The operator's own record: who did with which key what the public log tells without a name.
operator_acts = Table(
    "operator_acts",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("at", String(20), nullable=False, index=True),
    Column("act", String(20), nullable=False),
    Column("subject", String(200), nullable=False, index=True),
    Column("reason", String(40), nullable=False),
    Column("note", Text, nullable=False),
    Column("key_id", String(20), nullable=False),
    Column("holder", String(100), nullable=False),
    Column("log_origin", String(255)),  # of an approval; a change of a status is found by its code
    Column("log_index", BigInteger),
    Column("key_sha256", String(64), unique=True),  # of the request's Idempotency-Key
    Column("request_sha256", String(64)),
)

# Hits that processes took out of a limit's window, all together; the window's end is in Unix seconds.
rate_windows = Table(
    "rate_windows",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("hits", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False, index=True),
)

# What happened, derived from log and clock (service/events.py). ``number`` is the order of the public feed; ``body`` is the
# text that receivers get, byte for byte.
events = Table(
    "events",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String(40), nullable=False, unique=True),
    Column("type", String(40), nullable=False),
    Column("recorded_at", String(20), nullable=False, index=True),
    Column("body", Text, nullable=False),
)

# How far each source was told: of a log the next index, of the clock the time. The row ``clock`` is the lock of whoever tells.
told_sources = Table(
    "told_sources",
    metadata,
    Column("source", String(300), primary_key=True),
    Column("told", String(20), nullable=False),
)

# Where platforms want to hear of events. The secrets have to be used again and again, so they are kept as they are.
webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("holder", String(200), nullable=False),
    Column("url", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("types", Text, nullable=False),  # joined by spaces; empty for all
    Column("secret", String(80), nullable=False),
    Column("old_secret", String(80)),
    Column("old_secret_until", String(20)),
    Column("status", String(20), nullable=False),
    Column("disabled_because", String(20)),
    Column("version", Integer, nullable=False),
    Column("created_at", String(20), nullable=False),
    Column("failing_since", String(20)),
    Column("failures", Integer, nullable=False),  # one after the other
    Column("rests_until", String(20)),
    Column("busy_until", String(20)),  # a worker delivers here, and has to be done by then
    Column("busy_turn", String(40)),
    Column("served_at", String(20)),
    UniqueConstraint("holder", "url", name="one_endpoint_for_each_address"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("number", _row_id, primary_key=True),
    Column("id", String(40), nullable=False, unique=True),
    Column("endpoint_id", String(40), ForeignKey("webhook_endpoints.id"), nullable=False),
    Column("event_id", String(40), nullable=False),
    Column("type", String(40), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("created_at", String(20), nullable=False, index=True),
    Column("due_at", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("attempted_at", String(20)),
    Column("http_status", Integer),
    Column("told", Text),  # why the last attempt failed
)
Index("deliveries_of_endpoint", deliveries.c.endpoint_id, deliveries.c.number)
Index(
    "due_deliveries",
    deliveries.c.endpoint_id,
    deliveries.c.due_at,
    sqlite_where=text("state = 'waiting'"),
    postgresql_where=text("state = 'waiting'"),
)
