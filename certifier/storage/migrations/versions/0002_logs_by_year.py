"""One log for each year with a head of its own; reservations as constraints; idempotency keys.

Entries and checkpoints are copied byte for byte: a log continues as it was. Its origin is read from its last checkpoint,
and the head follows from its entries (RFC 6962), so what was signed is what goes on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from certifier.log.merkle import grown_peaks, leaf_hash

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
SHARE_LIMIT_PPT = 1_000_001_000_000


def upgrade() -> None:
    _create_reservations()
    _create_logs()
    _copy_log()
    op.drop_table("checkpoints")
    op.drop_table("leaves")
    op.rename_table("new_checkpoints", "checkpoints")
    bind = op.get_bind()
    bind.execute(sa.text("INSERT INTO used_reports (report_sha256, code) SELECT report_sha256, code FROM certificates"))
    bind.execute(sa.text("INSERT INTO runs (run, used_ppt) SELECT run, SUM(share_ppt) FROM run_shares GROUP BY run"))


def _create_reservations() -> None:
    op.create_table(
        "used_reports",
        sa.Column("report_sha256", sa.String(64), primary_key=True),
        sa.Column("code", sa.String(10), nullable=False),
        sa.Column("lost_audio_sha256", sa.String(64), index=True),
    )
    op.create_table(
        "idempotency",
        sa.Column("key_sha256", sa.String(64), primary_key=True),
        sa.Column("request_sha256", sa.String(64), nullable=False),
        sa.Column("submission_id", sa.String(40), sa.ForeignKey("submissions.id"), nullable=False),
        sa.Column("created_at", sa.String(20), nullable=False, index=True),
        sa.Column("told_state", sa.String(20)),
    )
    op.create_table(
        "runs",
        sa.Column("run", sa.Text, primary_key=True),
        sa.Column("used_ppt", sa.BigInteger, nullable=False),
        sa.CheckConstraint(f"used_ppt BETWEEN 0 AND {SHARE_LIMIT_PPT}", name="no_run_is_used_up_twice"),
    )
    op.create_index("ix_run_shares_code", "run_shares", ["code"])
    op.create_index(
        "undelivered_certificates",
        "certificates",
        ["code"],
        sqlite_where=sa.text("document IS NULL"),
        postgresql_where=sa.text("document IS NULL"),
    )


def _create_logs() -> None:
    op.create_table(
        "logs",
        sa.Column("origin", sa.String(255), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False, unique=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("peaks", sa.LargeBinary, nullable=False),
        sa.Column("frozen", sa.Integer, nullable=False),
    )
    op.create_table(
        "entries",
        sa.Column("id", _row_id, primary_key=True),
        sa.Column("origin", sa.String(255), sa.ForeignKey("logs.origin")),
        sa.Column("idx", sa.BigInteger),
        sa.Column("type", sa.String(20), nullable=False),
        sa.Column("code", sa.String(10), index=True),
        sa.Column("entry", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("origin", "idx", name="one_entry_for_each_index"),
        sa.CheckConstraint("(origin IS NULL) = (idx IS NULL)", name="a_place_is_a_log_and_an_index"),
    )
    op.create_index(
        "waiting_entries",
        "entries",
        ["id"],
        sqlite_where=sa.text("idx IS NULL"),
        postgresql_where=sa.text("idx IS NULL"),
    )
    op.create_table(
        "new_checkpoints",
        sa.Column("origin", sa.String(255), sa.ForeignKey("logs.origin"), primary_key=True),
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("note", sa.LargeBinary, nullable=False),
        sa.Column("published", sa.LargeBinary),
    )


def _copy_log() -> None:
    bind = op.get_bind()
    note = bind.execute(sa.text("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1")).scalar_one_or_none()
    placed = bind.execute(sa.text("SELECT entry FROM leaves WHERE idx IS NOT NULL ORDER BY idx")).scalars().all()
    origin = bytes(note).split(b"\n", 1)[0].decode() if note else None
    if origin:
        peaks = grown_peaks(0, [], (leaf_hash(bytes(entry)) for entry in placed))
        bind.execute(
            sa.text("INSERT INTO logs (origin, number, size, peaks, frozen) VALUES (:origin, 1, :size, :peaks, 0)"),
            {"origin": origin, "size": len(placed), "peaks": b"".join(peaks)},
        )
        bind.execute(
            sa.text(
                "INSERT INTO new_checkpoints (origin, size, note, published) "
                "SELECT :origin, size, note, note FROM checkpoints"
            ),
            {"origin": origin},
        )
    # Without a checkpoint nothing was ever published: what has a place then waits for it again.
    bind.execute(
        sa.text(
            "INSERT INTO entries (origin, idx, type, code, entry) "
            "SELECT CASE WHEN idx IS NOT NULL THEN :origin END, CASE WHEN :origin IS NOT NULL THEN idx END, "
            "type, code, entry FROM leaves ORDER BY id"
        ),
        {"origin": origin},
    )


def downgrade() -> None:
    raise NotImplementedError("An installation goes back to an older release by restoring its backup.")
