"""The tables, for SQLite and PostgreSQL alike. No business logic; migrations/ holds how they came to be.

A row of ``leaves`` without an ``idx`` waits for its place in the log. Status is not stored: it follows from the leaves.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
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

run_shares = Table(
    "run_shares",
    metadata,
    Column("id", _row_id, primary_key=True),
    Column("run", Text, nullable=False, index=True),
    Column("code", String(10), ForeignKey("certificates.code"), nullable=False),
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

leaves = Table(
    "leaves",
    metadata,
    Column("id", _row_id, primary_key=True),
    Column("idx", BigInteger, unique=True),
    Column("type", String(20), nullable=False),
    Column("code", String(10), index=True),
    Column("entry", LargeBinary, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("note", LargeBinary, nullable=False),
)
