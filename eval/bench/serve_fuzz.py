"""Requests made from the server's own OpenAPI schema, fitting and not: `python -m eval.bench.serve_fuzz`."""

from __future__ import annotations

import logging
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from fsa.cli.recipes import run_recipe
from fsa.errors import FsaError
from fsa.outputs.loading import load
from fsa.serve.application import create_app
from fsa.serve.service import Service
from fsa.serve.settings import Settings

_QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


class FuzzError(FsaError):
    """The server failed, or answered what its schema does not know."""


def serve_fuzz(model: str, requests: int = 2000, number: int = 0) -> Counter[str]:
    """Send requests made from the schema, half of them fitting it and half not; none may be answered 500.

    Args:
        model: Run folder of the model to serve.
        requests: How many, spread over all operations.
        number: Seed; the same seed sends the same.

    Returns:
        How many answers there were of each status.

    Raises:
        FuzzError: An answer was 500 or above but for 503, or of a status that the schema does not name.
    """
    with tempfile.TemporaryDirectory(prefix="fsa-fuzz-") as folder:
        store = f"sqlite:///{Path(folder) / 'people.db'}"
        service = Service(Settings(model, store=store), load(model))
        with TestClient(create_app(service), raise_server_exceptions=False) as client:
            statuses = fuzz(client, requests, number)
    print(", ".join(f"{status}: {count}" for status, count in sorted(statuses.items())))
    return statuses


def fuzz(client: TestClient, requests: int, number: int = 0) -> Counter[str]:
    """The same, of a server that is running."""
    schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
    operations: list[Any] = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    each = -(-requests // (len(operations) * len(modes)))
    statuses: Counter[str] = Counter()
    for operation in operations:
        for mode in modes:
            statuses.update(send(client, operation, mode, each, number))
    return statuses


def send(
    client: TestClient, operation: Any, mode: GenerationMode, count: int, number: int = 0
) -> Counter[str]:
    """The same for one operation and requests that fit the schema, or all that do not."""
    known = set(operation.definition.raw["responses"])
    sent = Counter[str]()

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=_QUIET,
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Any) -> None:
        answer = _answer(client, case)
        sent[str(answer.status_code)] += 1
        status = str(answer.status_code)
        if (answer.status_code >= 500 and status != "503") or status not in known | {"404", "405", "422"}:
            raise FuzzError(f"{operation.label}: {status} {answer.text[:300]} to {case.body!r:.300}")

    try:
        one()
    except Unsatisfiable:
        if mode is GenerationMode.POSITIVE:
            raise  # an operation that takes nothing has no request that does not fit
    return sent


def _answer(client: TestClient, case: Any) -> Any:
    headers = {name: value for name, value in (case.headers or {}).items() if value.isascii()}
    headers.pop("Authorization", None)
    given: dict[str, Any] = {"headers": headers, "params": case.query or None}
    if isinstance(case.body, dict | list | str | int | float | bool) or case.body is None:
        given |= {"json": case.body}
    if not case.operation.body:
        given.pop("json", None)
    return client.request(case.method, case.formatted_path or "/", **given)


if __name__ == "__main__":
    logging.disable(logging.INFO)
    run_recipe(serve_fuzz)
