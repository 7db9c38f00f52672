"""How the operator reaches an applicant: private, so it stands beside the submissions and in none of their views."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contacts",
        sa.Column("submission_id", sa.String(40), sa.ForeignKey("submissions.id"), primary_key=True),
        sa.Column("contact", sa.Text, nullable=False),
    )


def downgrade() -> None:
    raise NotImplementedError("An installation goes back to an older release by restoring its backup.")
