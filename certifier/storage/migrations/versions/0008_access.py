"""API keys, what operators did with them, and the counters of shared rate limits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(20), primary_key=True),
        sa.Column("holder", sa.String(100), nullable=False, index=True),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("networks", sa.Text, nullable=False),
        sa.Column("created_at", sa.String(20), nullable=False),
        sa.Column("expires_at", sa.String(20)),
        sa.Column("revoked_at", sa.String(20)),
        sa.Column("last_used_at", sa.String(20)),
    )
    op.create_table(
        "operator_acts",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("at", sa.String(20), nullable=False, index=True),
        sa.Column("act", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False, index=True),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("key_id", sa.String(20), nullable=False),
        sa.Column("holder", sa.String(100), nullable=False),
        sa.Column("log_origin", sa.String(255)),
        sa.Column("log_index", sa.BigInteger),
        sa.Column("key_sha256", sa.String(64), unique=True),
        sa.Column("request_sha256", sa.String(64)),
    )
    op.create_table(
        "rate_windows",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("hits", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False, index=True),
    )


def downgrade() -> None:
    raise NotImplementedError("An installation goes back to an older release by restoring its backup.")
