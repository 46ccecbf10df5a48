"""How the tables come to be, in both kinds of database."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from fsa.errors import StoreError
from fsa.serve.store.database import migrate, open_database, without_password
from fsa.serve.store.people import PeopleStore
from fsa.serve.store.tables import METADATA


def test_migrations_lead_to_the_tables_that_the_code_means(engine):
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    assert set(inspect(engine).get_table_names()) == {*METADATA.tables, "alembic_version"}


def test_migrations_go_down_and_up_again(engine):
    PeopleStore(engine).put(("acme", "ann"))
    migrate(engine, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    migrate(engine)
    assert PeopleStore(engine).revisions([("acme", "ann")]) == {}


def test_servers_that_start_at_once_migrate_once(store_url):
    engines = [open_database(store_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(migrate, engines))
    assert "person" in inspect(engines[0]).get_table_names()


def test_a_database_of_a_newer_version_is_refused(engine):
    with engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="9999"):
        migrate(engine)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("people.db", "must be a URL"),
        ("mysql://root@host/people", "it is sqlite:///FILE or postgresql"),
        ("sqlite://", "has to name a file"),
        ("sqlite:///:memory:", "has to name a file"),
    ],
)
def test_other_urls_are_refused(url, said):
    with pytest.raises(StoreError, match=said):
        open_database(url)


def test_no_error_shows_a_password():
    engine = open_database("postgresql://ann:s3cret@127.0.0.1:1/nowhere?connect_timeout=1")
    with pytest.raises(StoreError) as caught:
        migrate(engine)
    assert "s3cret" not in str(caught.value)
    assert "***" in without_password(engine.url)


def test_sqlite_writes_through_and_overwrites_what_it_erases(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'new' / 'people.db'}")
    migrate(engine)  # makes the folder
    with engine.connect() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
    assert values == ["wal", 2, 1, 1]  # 2 is FULL
