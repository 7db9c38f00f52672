"""The other forms of a certificate, kept once they were made: the key that makes them may be gone one day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "renditions",
        sa.Column("code", sa.String(10), sa.ForeignKey("certificates.code"), primary_key=True),
        sa.Column("form", sa.String(20), primary_key=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    raise NotImplementedError("An installation goes back to an older release by restoring its backup.")
