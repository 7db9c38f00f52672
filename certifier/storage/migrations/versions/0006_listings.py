"""What the register is searched by, one narrow row for each certificate; and files are found by an index of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from certifier.storage.listings import listing_values

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STEP = 500


def upgrade() -> None:
    table = op.create_table(
        "listings",
        sa.Column("code", sa.String(10), sa.ForeignKey("certificates.code"), primary_key=True),
        sa.Column("issued_at", sa.String(20), nullable=False),
        sa.Column("expires_at", sa.String(20), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("standard", sa.String(60), nullable=False),
        sa.Column("evidence_level", sa.String(4), nullable=False),
        sa.Column("assessed_g_per_min", sa.String(40), nullable=False),
        sa.Column("isrc", sa.String(20), nullable=False),
        sa.Column("essence_sha256", sa.String(64), nullable=False),
        sa.Column("title_key", sa.String(60), nullable=False),
        sa.Column("artist_key", sa.String(60), nullable=False),
        sa.Column("words", sa.Text, nullable=False),
    )
    _fill(table)
    op.create_index("listings_by_time", "listings", ["issued_at", "code"])
    op.create_index("listings_by_title", "listings", ["title_key", "code"])
    op.create_index("listings_by_artist", "listings", ["artist_key", "code"])
    op.create_index("listings_by_isrc", "listings", ["isrc"])
    op.create_index("listings_by_essence", "listings", ["essence_sha256"])
    op.create_index("certificates_by_audio", "certificates", ["audio_sha256"])


def _fill(table: sa.Table) -> None:
    """A row for every certificate there is, in steps so that a large table fits into memory."""
    connection, last = op.get_bind(), ""
    query = sa.text(
        "SELECT c.code, c.issued_at, c.expires_at, c.outcome, c.payload, s.title, s.artist FROM certificates c"
        " JOIN submissions s ON s.id = c.submission_id WHERE c.code > :last ORDER BY c.code LIMIT :step"
    )
    while rows := connection.execute(query, {"last": last, "step": STEP}).mappings().all():
        connection.execute(table.insert(), [listing_values(**row) for row in rows])
        last = rows[-1]["code"]


def downgrade() -> None:
    raise NotImplementedError("An installation goes back to an older release by restoring its backup.")
