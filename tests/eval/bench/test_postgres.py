import socket

import pytest
from sqlalchemy import create_engine, text

from eval.bench.postgres import find_programs, free_port, postgres


def test_a_free_port_can_be_listened_on():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))


@pytest.mark.skipif(find_programs() is None, reason="needs PostgreSQL's initdb and pg_ctl")
def test_a_server_answers_and_is_gone_afterwards():
    with postgres() as url:
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.connect() as connection:
            assert connection.execute(text("select 6 * 7")).scalar() == 42
        engine.dispose()
    port = int(url.rpartition(":")[2].partition("/")[0])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_without_its_programs_that_is_said(monkeypatch):
    monkeypatch.setattr("eval.bench.postgres.find_programs", lambda: None)
    with pytest.raises(Exception, match="needs PostgreSQL's initdb"), postgres():
        pass
