"""First tables: submissions, certificates, run shares, deposited logs, leaves, checkpoints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "submissions",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("created_at", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("artist", sa.Text, nullable=False),
        sa.Column("report_sha256", sa.String(64), nullable=False, index=True),
        sa.Column("audio_sha256", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("decision", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "certificates",
        sa.Column("code", sa.String(10), primary_key=True),
        sa.Column("submission_id", sa.String(40), sa.ForeignKey("submissions.id"), nullable=False, unique=True),
        sa.Column("report_sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("audio_sha256", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("issued_at", sa.String(20), nullable=False, index=True),
        sa.Column("expires_at", sa.String(20), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("verification_method", sa.Text, nullable=False),
        sa.Column("revocation_index", sa.Integer, nullable=False, unique=True),
        sa.Column("suspension_index", sa.Integer, nullable=False, unique=True),
        sa.Column("in_force", sa.Integer, nullable=False),
        sa.Column("document", sa.LargeBinary),
        sa.Column("proof", sa.LargeBinary),
    )
    op.create_index(
        "one_certificate_in_force_per_audio",
        "certificates",
        ["audio_sha256"],
        unique=True,
        sqlite_where=sa.text("in_force = 1 AND outcome <> 'disclosed'"),
        postgresql_where=sa.text("in_force = 1 AND outcome <> 'disclosed'"),
    )
    op.create_table(
        "run_shares",
        sa.Column("id", _row_id, primary_key=True),
        sa.Column("run", sa.Text, nullable=False, index=True),
        sa.Column("code", sa.String(10), sa.ForeignKey("certificates.code"), nullable=False),
        sa.Column("share_ppt", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "deposited_logs",
        sa.Column("id", _row_id, primary_key=True),
        sa.Column("submission_id", sa.String(40), sa.ForeignKey("submissions.id"), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("submission_id", "sha256"),
    )
    op.create_table(
        "leaves",
        sa.Column("id", _row_id, primary_key=True),
        sa.Column("idx", sa.BigInteger, unique=True),
        sa.Column("type", sa.String(20), nullable=False),
        sa.Column("code", sa.String(10), index=True),
        sa.Column("entry", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "checkpoints",
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("note", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    for table in ("checkpoints", "leaves", "deposited_logs", "run_shares", "certificates", "submissions"):
        op.drop_table(table)
