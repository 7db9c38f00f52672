"""Whose key signed a report, in a column of its own, so that an applicant finds their submissions."""

from __future__ import annotations

import base64
import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STEP = 200


def upgrade() -> None:
    op.add_column("submissions", sa.Column("applicant", sa.String(80)))
    submissions = sa.table("submissions", sa.column("id"), sa.column("envelope"), sa.column("applicant"))
    connection, last = op.get_bind(), ""
    query = sa.select(submissions.c.id, submissions.c.envelope).order_by(submissions.c.id).limit(STEP)
    while rows := connection.execute(query.where(submissions.c.id > last)).all():
        for submission_id, envelope in rows:
            named = submissions.c.id == submission_id
            connection.execute(sa.update(submissions).where(named).values(applicant=applicant_in(envelope)))
        last = rows[-1][0]
    op.create_index("ix_submissions_applicant", "submissions", ["applicant"])


def applicant_in(envelope: bytes) -> str | None:
    """The key that a stored report names as its applicant's, which signed it; None where it cannot be read."""
    try:
        statement = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
        return str(statement["predicate"]["issuer"]["key_id"])[:80]
    except (ValueError, KeyError, TypeError):
        return None


def downgrade() -> None:
    raise NotImplementedError("An installation goes back to an older release by restoring its backup.")
