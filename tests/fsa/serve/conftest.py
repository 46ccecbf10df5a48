"""Stores of both kinds, and servers of tiny models in the test's own process."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, create_engine, make_url

from eval.bench.postgres import find_programs, postgres
from fsa.serve.application import create_app
from fsa.serve.service import Service
from fsa.serve.settings import Settings
from fsa.serve.store.database import migrate, open_database
from tests.fsa.serve.small import text_rewards

Serve = Callable[..., TestClient]


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of the tests' own."""
    if find_programs() is None:
        pytest.skip("needs PostgreSQL's initdb and pg_ctl (apt-get install postgresql)")
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'people.db'}"
    return new_database(request.getfixturevalue("postgres_url"))


@pytest.fixture
def new_store() -> Callable[[str], str]:
    """Makes a new database of a PostgreSQL server."""
    return new_database


def new_database(server: str) -> str:
    """URL of a new database of a PostgreSQL server."""
    name = f"t{uuid.uuid4().hex}"
    url = make_url(server).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return url.set(drivername="postgresql", database=name).render_as_string()


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    """A migrated database."""
    engine = open_database(store_url)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts servers, in this process: `serve(model, policy=..., store=..., **settings)`."""
    started: list[TestClient] = []

    def start(rewards=None, policy=None, **settings) -> TestClient:
        store = settings.pop("store", f"sqlite:///{tmp_path / 'served.db'}")
        service = Service(Settings("model", store=store, **settings), rewards or text_rewards(), policy)
        client = TestClient(create_app(service), raise_server_exceptions=False)
        client.__enter__()
        started.append(client)
        return client

    yield start
    for client in started:
        client.__exit__(None, None, None)


@pytest.fixture
def client(serve: Serve) -> TestClient:
    """A server of a tiny model of texts, open to this machine."""
    return serve()
