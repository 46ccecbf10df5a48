"""Requests to our own server: bodies, heads and paths of every route, and those made from its own schema."""
# ruff: noqa: E501 - tables of odd values read best with many a line

import json
import math
import os
import re
from pathlib import Path
from random import Random
from typing import Any

import schemathesis
from fastapi.testclient import TestClient
from schemathesis import GenerationMode

from eval.bench.serve_fuzz import send
from fsa.errors import FsaError
from fsa.outputs.loading import load
from fsa.serve.application import create_app
from fsa.serve.service import Service
from fsa.serve.settings import Settings
from tests.fuzz.made_choices import number_record, text_record
from tests.fuzz.odd import changed, damaged_bytes, damaged_text, odd_value
from tests.fuzz.records import Nonsense, Unsure, read_record, strict_json
from tests.fuzz.training_data import train_small
from tests.fuzz.trying import Came, Opinion, Target, Tried, judged

_USER = re.compile(r"[A-Za-z0-9._@:|+-]{1,200}")


class _OfServer(Target):
    """A server of a trained model in the process that attacks it, with a database of its own."""

    def prepare(self, folder: Path) -> None:
        self.run, self.folder = train_small(folder / "trained"), folder

    def start(self) -> None:
        store = f"sqlite:///{self.folder / f'people-{os.getpid()}.db'}"
        service = Service(Settings(str(self.run), store=store), load(str(self.run)))
        self.client = TestClient(create_app(service), raise_server_exceptions=False)
        self.client.__enter__()


class Requests(_OfServer):
    """Requests of the right form with one thing wrong, in meaning, text or bytes."""

    name, cases = "requests", 1900

    def attack(self, draw: Random, folder: Path) -> Tried:
        route = draw.choice([
            "/v1/people/{user}/choices", "/v1/people/{user}/choices", "/v1/score", "/v1/score", "/v2/rerank", "/get_reward",
            "/v1/people/{user}/next-question", "/classify", "/v1/embeddings", "/v1/chat/completions", "/v1/judge",
        ])  # fmt: skip
        user = draw.choice(["ann", "bob", "a" * 200, "a" * 201, "é", "a|b", "%00", " ", "a\nb", "ann", "ann"])
        body: Any = _body(draw, route)
        what = f"POST {route}"
        if draw.random() < 0.7:
            part = draw.choice([body, *(one for one in body.get("choices", []) if isinstance(one, dict))])
            what += "; " + changed(draw, part, sorted(body))[0]
        if draw.random() < 0.05:
            body = odd_value(draw)
        text = json.dumps(body)
        if draw.random() < 0.15:
            text, what = damaged_text(draw, text), what + "; text damaged"
        raw = text.encode("utf-8", "surrogatepass")
        if draw.random() < 0.1:
            raw, how = damaged_bytes(draw, raw)
            what += "; " + how
        head = {
            "Content-Type": draw.choice(
                ["application/json"] * 6 + ["text/plain", "", "application/json; charset=utf-16"]
            )
        }
        if draw.random() < 0.2:
            head["Idempotency-Key"] = draw.choice(["k1", "k2", "", " ", "a" * 300, "\x7f"])
        (folder / "body.json").write_bytes(raw)
        path = route.format(user=user.replace("%", "%25").replace(" ", "%20").replace("\n", "%0A"))
        answer = self.client.request("POST", path, content=raw, headers=head)
        is_plain = head["Content-Type"] == "application/json" and "Idempotency-Key" not in head
        opinion = _opinion(route, user, raw) if is_plain else Opinion("unsure")
        return judged(
            f"{what} for {user!r:.20}", opinion, _came(answer), lambda value: _all_finite(value, route)
        )


class Schema(_OfServer):
    """Ten requests a case, made from the server's own OpenAPI schema, fitting it and not."""

    name, cases, each = "schema", 100, 10

    def start(self) -> None:
        super().start()
        schema = schemathesis.openapi.from_dict(self.client.get("/openapi.json").json())
        self.operations: list[Any] = [found.ok() for found in schema.get_all_operations()]

    def attack(self, draw: Random, folder: Path) -> Tried:
        operation = draw.choice(self.operations)
        mode = draw.choice([GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
        what = f"{operation.label}, {mode.value}"
        try:
            statuses = send(self.client, operation, mode, self.each, draw.randrange(2**32))
        except FsaError as error:
            return Tried(what, "failed", str(error)[:500])
        is_refused = bool(statuses) and all(status >= "400" for status in statuses)
        return Tried(what, "refused" if is_refused else "accepted", site=operation.label)


def _came(answer: Any) -> Came:
    if answer.status_code >= 500 and answer.status_code != 503:
        return Came("failed", f"HTTP {answer.status_code}: {answer.text[:500]}")
    if answer.status_code >= 400:
        try:
            said = answer.json()["error"]["message"]
        except (ValueError, KeyError, TypeError):
            return Came("failed", f"HTTP {answer.status_code} without a message: {answer.text[:300]}")
        return Came("refused", said, f"{answer.status_code} {re.sub(r'[^a-z ]+', '_', said)[:50]}")
    return Came("accepted", value=answer.text)


def _all_finite(text: str, route: str) -> str:
    try:
        found = strict_json(text)
    except Nonsense as wrong:
        return f"the answer is no JSON: {wrong.why}"
    numbers: list[float] = []

    def walk(value: Any) -> None:
        if isinstance(value, float):
            numbers.append(value)
        for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(part)

    walk(found)
    return "" if all(map(math.isfinite, numbers)) else f"{route} answered {text[:200]}"


def _body(draw: Random, route: str) -> dict[str, Any]:
    if route.endswith("/choices"):
        records = [number_record(draw, "x") for _ in range(draw.choice([1, 2, 3]))]
        return {"choices": [{n: v for n, v in record.items() if n != "user"} for record in records]}
    if route == "/v1/score":
        body = {"prompt": "p", "responses": [[0.1, 0.2], [0.5, 0.6]]}
        known = [{n: v for n, v in number_record(draw, "x").items() if n != "user"}]
        return {**body, "choices": known} if draw.random() < 0.5 else {**body, "user": "ann"}
    if route.endswith("next-question"):
        return {"prompt": "p", "responses": [[0.1, 0.2], [0.5, 0.6], [1.0, 0.0]]}
    if route == "/v2/rerank":
        return {"query": "q", "documents": ["a", "b"], "model": "fsa/ann", "top_n": 1}
    if route == "/get_reward":
        return {"query": ["Tea?Yes."], "prompts": ["Tea?"], "labels": ["ann"]}
    if route == "/v1/chat/completions":
        return {"model": "fsa/ann", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3}
    if route == "/v1/judge":
        return {"prompt": "p", "responses": ["a", "b"], "target": {"x": 0.5}}
    return {"model": "fsa/ann", "input": json.dumps(text_record(draw, "x", "Hm?")["prompt"])}


def _opinion(route: str, user: str, raw: bytes) -> Opinion:
    """What docs/serving.md and docs/data.md say of a request; of routes in others' shapes, that it is JSON."""
    if "{user}" in route and not _USER.fullmatch(user):
        return Opinion("nonsense", "the person's name is none")
    if route in ("/get_reward", "/v1/chat/completions", "/v1/judge"):
        return Opinion("unsure")
    try:
        body = json.loads(raw.decode())
    except (ValueError, RecursionError):
        return Opinion("nonsense", "it is no JSON")
    if not isinstance(body, dict):
        return Opinion("nonsense", "it is no object")
    try:
        strict_json(raw.decode())
        if not route.startswith("/v1/people") and route != "/v1/score":
            return Opinion("unsure")
        return _of_body(route, body)
    except Nonsense as wrong:
        # A name twice in an object is left to the JSON reader.
        if "twice" in wrong.why:
            return Opinion("unsure")
        values = [] if "is no JSON" in wrong.why else [value for value in wrong.values if value]
        return Opinion("nonsense", wrong.why, (), values)
    except Unsure:
        return Opinion("unsure")


def _of_body(route: str, body: dict[str, Any]) -> Opinion:
    needed, allowed = {"choices"}, {"choices"}
    if route == "/v1/score":
        needed, allowed = {"responses"}, {"responses", "prompt", "user", "choices"}
    elif route.endswith("next-question"):
        needed, allowed = {"responses"}, {"responses", "prompt", "questions", "count", "acquisition", "asked"}
    if wrong := sorted((needed - body.keys()) | (body.keys() - allowed)):
        raise Nonsense(f"{wrong[0]} is missing, or unknown", wrong)
    sure, choices = True, body.get("choices")
    if choices is not None and not isinstance(choices, list):
        raise Nonsense("choices are no list", "choices")
    for i, record in enumerate(choices or ()):
        if not isinstance(record, dict):
            raise Nonsense("a choice is no record", f"choices[{i}]", "choices")
        try:
            sure &= read_record({"user": "x", **record}).kind == 2
        except Unsure:
            sure = False
        except Nonsense as wrong:
            raise Nonsense(f"choices[{i}]: {wrong.why}", f"choices[{i}]", "choices", wrong.values) from None
    if "responses" in needed:
        responses = body["responses"]
        if not isinstance(responses, list) or not responses:
            raise Nonsense("responses are no list", "responses")
        for response in responses:
            if isinstance(response, dict | bool) or response is None or response == []:
                raise Nonsense("a response is none", "response")
        raise Unsure
    if not sure or not 1 <= len(body["choices"]) <= 100:
        raise Unsure
    return Opinion("sound")
