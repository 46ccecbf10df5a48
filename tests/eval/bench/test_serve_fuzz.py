import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient

from eval.bench.serve_fuzz import FuzzError, fuzz


def app(status: int) -> TestClient:
    made = FastAPI()

    @made.post("/add")
    def add(n: int) -> int:
        if status != 200:
            raise HTTPException(status)
        return n + 1

    return TestClient(made, raise_server_exceptions=False)


def test_a_server_that_does_as_its_schema_says_passes():
    found = fuzz(app(200), requests=20)
    assert found["200"] > 0
    assert set(found) <= {"200", "422"}


@pytest.mark.parametrize("status", [500, 418])
def test_a_failure_and_a_status_that_no_schema_names_are_found(status):
    with pytest.raises(FuzzError, match=f"POST /add: {status}"):
        fuzz(app(status), requests=20)
