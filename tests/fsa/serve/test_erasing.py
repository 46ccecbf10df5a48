"""Erased means gone: database files and logs are searched for what was erased."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url

from fsa.serve.service import Service
from fsa.serve.store.people import PeopleStore
from tests.factories.lines import jsonl
from tests.factories.reward_models import text, text_model
from tests.fsa.serve.small import pair

SECRETS = [b"elderflower", b"zanzibar", b"peppermint", b"anna-karenina"]
ERASED = [pair("elderflower " * 3, "zanzibar " * 4, f"peppermint {i}") for i in range(30)]
KEPT = [pair("sparrow " * 3, "lantern " * 4, f"harvest {i}") for i in range(30)]


def found(folder: Path, words: list[bytes]) -> list[tuple[str, bytes]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [(path.name, word) for path in files for word in words if word in path.read_bytes()]


def test_sqlites_files_hold_nothing_of_the_erased_without_a_vacuum(serve, tmp_path):
    folder = tmp_path / "data"
    client = serve(store=f"sqlite:///{folder / 'people.db'}")
    for name, records in (("anna-karenina", ERASED), ("bob", KEPT)):
        assert client.post(f"/v1/people/{name}/choices", json={"choices": records}).status_code == 201
    client.post("/v1/score", json={"user": "anna-karenina", "responses": ["elderflower"]})
    assert {word for _, word in found(folder, SECRETS)} == set(SECRETS)
    assert client.delete("/v1/people/anna-karenina").json()["choices"] == 30
    assert found(folder, SECRETS) == []
    assert len(client.get("/v1/people/bob/choices").json()["choices"]) == 30
    assert {word for _, word in found(folder, [b"sparrow"])} == {b"sparrow"}


def test_postgresqls_tables_hold_nothing_of_the_erased_after_a_vacuum(serve, postgres_url, new_store):
    store = new_store(postgres_url)
    client = serve(store=store)
    for name, records in (("anna-karenina", ERASED), ("bob", KEPT)):
        client.post(f"/v1/people/{name}/choices", json={"choices": records})
    client.delete("/v1/people/anna-karenina")
    url = make_url(store).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("VACUUM FULL")
        connection.exec_driver_sql("CHECKPOINT")
        data = Path(connection.exec_driver_sql("SHOW data_directory").scalar())
        number = connection.exec_driver_sql(
            "SELECT oid FROM pg_database WHERE datname = current_database()"
        ).scalar()
    engine.dispose()
    assert found(data / "base" / str(number), SECRETS) == []
    assert {word for _, word in found(data / "base" / str(number), [b"sparrow"])} == {b"sparrow"}
    assert len(PeopleStore(client.app.state.service.engine).choices(("default", "bob"))) == 30


def test_features_of_texts_are_not_kept_on_the_disk(serve, tmp_path, monkeypatch, bert):
    monkeypatch.setenv("FSA_CACHE", str(tmp_path / "cache"))
    client = serve(text_model(bert))
    before = {path: path.stat().st_size for path in (tmp_path / "cache").rglob("*.vectors")}
    assert client.post("/v1/score", json={"responses": [text(77, 5)]}).status_code == 200
    assert {path: path.stat().st_size for path in (tmp_path / "cache").rglob("*.vectors")} == before


def test_memory_holds_no_features_of_texts_once_somebody_is_erased(serve, bert):
    client = serve(text_model(bert))
    features = client.app.state.service.rewards.features
    ran, run = [], features._run
    features._run = lambda batch: ran.append(len(batch)) or run(batch)
    client.put("/v1/people/ann")
    for _ in range(2):
        assert client.post("/v1/score", json={"responses": [text(77, 5)]}).status_code == 200
    assert ran == [1]
    client.delete("/v1/people/ann")
    client.post("/v1/score", json={"responses": [text(77, 5)]})
    assert ran == [1, 1]


def test_candidates_are_read_at_the_start_and_stay_read_whoever_is_erased(serve, bert, tmp_path):
    rows = [{"prompt": "w1", "response": text(i, 5)} for i in range(20)]
    client = serve(text_model(bert), candidates=jsonl(tmp_path / "c.jsonl", rows))
    client.portal.call(_ended, client.app.state.service)
    features = client.app.state.service.rewards.features
    features._run = None  # nothing is left to compute
    client.put("/v1/people/ann")
    client.delete("/v1/people/ann")
    responses = [row["response"] for row in rows]
    body = {"prompt": "w1", "responses": responses}
    assert client.post("/v1/score", json=body).status_code == 200


async def _ended(service: Service) -> None:
    await service._reading


@pytest.mark.slow
def test_importing_the_command_line_imports_no_server():
    names = ["fastapi", "sqlalchemy", "uvicorn", "alembic", "prometheus_client"]
    code = f"import sys, fsa.cli.main; print([n for n in {names} if n in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
