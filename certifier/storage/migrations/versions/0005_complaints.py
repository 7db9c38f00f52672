"""Complaints and reports of misuse, from anybody: private but for their numbers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "complaints",
        sa.Column("receipt", sa.String(20), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("code", sa.String(10), index=True),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False, index=True),
        sa.Column("received_at", sa.String(20), nullable=False, index=True),
        sa.Column("reviewed_at", sa.String(20)),
        sa.Column("closed_at", sa.String(20)),
        sa.Column("outcome", sa.String(20)),
        sa.Column("reason", sa.Text, nullable=False),
    )


def downgrade() -> None:
    raise NotImplementedError("An installation goes back to an older release by restoring its backup.")
