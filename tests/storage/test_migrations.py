"""An installation of an earlier release goes on as it was: the same entries, notes, certificates and reservations."""

from __future__ import annotations

import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
import alembic.script
import pytest
import sqlalchemy as sa

from certifier.certificate.verify import check_certificate
from certifier.errors import OperatorError
from certifier.service.certifier import Certifier, Issued
from certifier.service.home import make_home
from certifier.storage import database
from certifier.storage.listings import Search
from certifier.web.app import create_app
from tests.postgres import Postgres
from tests.referee import check_history
from tests.studio import NOW, Studio

MIGRATIONS = Path(database.__file__).parent / "migrations"


def at_revision(connection: sa.Connection, revision: str) -> None:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, revision)


def laid_out_as_0001(certifier: Certifier, url: str) -> None:
    """The rows of an installation in the tables that release 0.1.0 began with; one entry still waits for its place."""
    store, origin = certifier.store, certifier.logbook.origin
    writer = database._sqlite_engines(url)[0] if url.startswith("sqlite") else database._postgresql_engines(url)[0]
    with writer.begin() as new, store.database.reading() as old:
        at_revision(new, "0001")
        tables = sa.MetaData()
        tables.reflect(new)

        def copy(name: str, rows: list[dict[str, Any]]) -> None:
            known = set(tables.tables[name].columns.keys())
            new.execute(tables.tables[name].insert(), [{k: v for k, v in row.items() if k in known} for row in rows])

        for name in ("submissions", "certificates", "run_shares", "deposited_logs"):
            copy(name, [dict(row) for row in old.execute(sa.text(f"SELECT * FROM {name}")).mappings()])
        placed = store.entries_between(origin, 0, certifier.logbook.head.size)
        copy("leaves", [{"idx": row.index, "type": row.type, "code": row.code, "entry": row.entry} for row in placed])
        last = placed[-1]
        new.execute(
            tables.tables["leaves"].update().where(tables.tables["leaves"].c.idx == last.index).values(idx=None)
        )
        notes = [row for row in store.all_checkpoints(origin) if row.size < certifier.logbook.head.size]
        copy("checkpoints", [{"size": row.size, "note": row.note} for row in notes])
    writer.dispose()


def test_a_database_of_the_first_release_goes_on(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "made").mkdir()
    studio = Studio(tmp_path / "made")
    made = studio.certifier()
    history = []
    for number in (1, 2):
        answer = made.certify(studio.examined(number), NOW)
        assert isinstance(answer, Issued)
        document = (answer.certificate.document or b"").decode()
        history.append({"op": "issue", "code": answer.certificate.code, "document": document})
    made.change_status(history[0]["code"], "suspend", "evidence", NOW)
    laid_out_as_0001(made, database_url)
    made.close()
    studio.certifier().close()
    (studio.settings.log_dir / "label.example-2026/checkpoint").unlink()  # the first release kept no files
    migrated = studio.certifier(database_url=database_url)
    assert migrated.problems == ()
    assert migrated.logbook.head.size == 3
    assert migrated.published.lifecycle(history[0]["code"]) == "suspended"
    assert migrated.store.share_used('["example-party", "run-1"]') == Decimal(1)
    assert migrated.store.code_for_report(studio.examined(2).opened.digest) == history[1]["code"]
    row = migrated.certificate(history[1]["code"])
    assert check_certificate(row.document or b"", migrated.published.material(row, NOW), NOW).verdict == "valid"
    third = migrated.certify(studio.examined(3), NOW)
    assert isinstance(third, Issued)
    document = (third.certificate.document or b"").decode()
    history += [{"op": "issue", "code": third.certificate.code, "document": document}]
    history += [{"op": "suspend", "code": history[0]["code"]}]
    client = create_app(migrated, lambda: NOW).test_client()
    check_history(lambda path: (client.get(path).status_code, client.get(path).data), history)
    found = migrated.store.listed(Search(terms=("example", "artist"), evidence_level="A1"), "oldest", 10)
    assert found
    assert sorted(row.code for row in found[1]) == sorted(str(op["code"]) for op in history if op["op"] == "issue")
    migrated.close()


TOGETHER = """
import os, sys
from pathlib import Path
from certifier.service.home import open_certifier
from certifier.settings import Settings
waiting, begin = os.pipe()
children = []
for home in sys.argv[2:]:
    children.append(os.fork())
    if children[-1] == 0:
        os.close(begin)
        os.read(waiting, 1)  # the end of the file, for all at once
        certifier = open_certifier(Settings(home=Path(home), database_url=sys.argv[1]))
        found = (certifier.problems, certifier.logbook.head.size, len(certifier.logbooks))
        certifier.close()
        os._exit(found != ((), 0, 1))
os.close(begin)
sys.exit(sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0 for child in children))
"""


def test_replicas_that_start_together_on_a_new_database_make_it_once(tmp_path: Path, postgres: Postgres) -> None:
    """Whoever comes first migrates and begins the log; the others wait, and find it done."""
    studio = Studio(tmp_path)
    make_home(studio.settings, NOW)
    homes = [tmp_path / f"replica-{number}" for number in range(4)]
    for home in homes:
        shutil.copytree(studio.settings.home, home, ignore=shutil.ignore_patterns("service.sqlite*"))
    command = [sys.executable, "-c", TOGETHER, postgres.new_database(), *map(str, homes)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr[-2000:]


def test_a_database_of_a_later_release_is_told_so(tmp_path: Path, database_url: str) -> None:
    opened = database.Database(database_url)
    with opened._writer.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    opened.close()
    with pytest.raises(OperatorError, match="cannot be opened") as caught:
        database.Database(database_url)
    assert "9999" in str(caught.value.found)


def test_a_start_compares_the_database_with_the_newest_migration_by_its_name():
    config = alembic.config.Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    assert alembic.script.ScriptDirectory.from_config(config).get_current_head() == database.newest_revision()
