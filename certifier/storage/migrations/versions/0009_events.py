"""What happened as a feed, and the webhooks that carry it to platforms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    op.create_index("certificates_by_expiry", "certificates", ["expires_at"])
    op.create_table(
        "events",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.String(40), nullable=False, unique=True),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("recorded_at", sa.String(20), nullable=False, index=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    told = op.create_table(
        "told_sources",
        sa.Column("source", sa.String(300), primary_key=True),
        sa.Column("told", sa.String(20), nullable=False),
    )
    op.bulk_insert(told, [{"source": "clock", "told": ""}])
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("holder", sa.String(200), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("types", sa.Text, nullable=False),
        sa.Column("secret", sa.String(80), nullable=False),
        sa.Column("old_secret", sa.String(80)),
        sa.Column("old_secret_until", sa.String(20)),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("disabled_because", sa.String(20)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.String(20), nullable=False),
        sa.Column("failing_since", sa.String(20)),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("rests_until", sa.String(20)),
        sa.Column("busy_until", sa.String(20)),
        sa.Column("busy_turn", sa.String(40)),
        sa.Column("served_at", sa.String(20)),
        sa.UniqueConstraint("holder", "url", name="one_endpoint_for_each_address"),
    )
    op.create_table(
        "deliveries",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("id", sa.String(40), nullable=False, unique=True),
        sa.Column("endpoint_id", sa.String(40), sa.ForeignKey("webhook_endpoints.id"), nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("created_at", sa.String(20), nullable=False, index=True),
        sa.Column("due_at", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("attempted_at", sa.String(20)),
        sa.Column("http_status", sa.Integer),
        sa.Column("told", sa.Text),
    )
    op.create_index("deliveries_of_endpoint", "deliveries", ["endpoint_id", "number"])
    op.create_index(
        "due_deliveries",
        "deliveries",
        ["endpoint_id", "due_at"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )


def downgrade() -> None:
    raise NotImplementedError("An installation goes back to an older release by restoring its backup.")
