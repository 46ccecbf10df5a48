"""Answers of a model's server, as raw bytes over HTTP: what a judge makes of them."""
# ruff: noqa: E501 - tables of odd values read best with many a line

import json
import socketserver
import threading
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.commands import command, lines
from tests.fuzz.odd import changed, damaged_bytes, damaged_text, odd_value
from tests.fuzz.records import Nonsense, strict_json
from tests.fuzz.trying import Opinion, Target, Tried, came_of_command, judged

PROBLEMS = [
    "HTTP ", "malformed", "truncated", "unconstrained output", "refusal", "no connection", "time-out",
    "missing letter", "unknown letter", "repeated letter", "no reasoning", "reasoning too long",
    "score out of range", "not JSON", "oversized", "the key is refused", "access is refused", "no such address",
]  # fmt: skip


class ModelServers(Target):
    """A local server that answers every request with the bytes of the case."""

    name, cases = "servers", 200

    def start(self) -> None:
        self.answer = b""
        target = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                length = 0
                while (line := self.rfile.readline().strip()) != b"":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                self.rfile.read(length)
                self.wfile.write(target.answer)

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}/v1"

    def attack(self, draw: Random, folder: Path) -> Tried:
        self.answer, what, opinion = _answer(draw)
        (folder / "answer.bin").write_bytes(self.answer)
        (folder / "target.json").write_text('{"verbosity": 0.25}')
        candidates = lines(
            folder / "candidates.jsonl", [{"prompt": "Tea?", "responses": ["Yes.", "No, not now."]}]
        )
        engine = {"model": "m", "base_url": self.url, "attempts": 1, "first_wait": 0.0, "timeout": 2.0}
        of_engine = {"class_path": "fsa.judge.engines.openai_engine.OpenAIEngine", "init_args": engine}
        arguments = {"engine": of_engine, "attributes": ["verbosity"]}
        judge = {"judge": {"class_path": "fsa.judge.comparative.ComparativeJudge", "init_args": arguments}}
        (folder / "judge.yaml").write_text(json.dumps(judge))
        given = [
            "--target",
            folder / "target.json",
            "--candidates",
            candidates,
            "--judge",
            folder / "judge.yaml",
        ]
        ended = command("fsa", "judge", *given, "--out", folder / "out.jsonl")

        def is_same(_: str) -> str:
            (line,) = (folder / "out.jsonl").read_text().splitlines()
            found = strict_json(line)
            scores = found["scores"]["verbosity"]
            if found["choice"] not in (0, 1) or not all(one is None or 0 <= one <= 1 for one in scores):
                return f"choice is {found['choice']}, scores are {scores}"
            if opinion.kind == "sound" and sorted(scores) != sorted(opinion.content):
                return f"scores are {scores}, the server said {opinion.content}"
            return ""

        return judged(what, opinion, came_of_command(ended), is_same)


def _answer(draw: Random) -> tuple[bytes, str, Opinion]:
    """Bytes of a whole HTTP answer, what is odd about them, and what has to come of it."""
    said: Any = {letter: {"reasoning": "So it is.", "score": draw.choice([0, 40, 100])} for letter in "AB"}
    scores = [said[letter]["score"] / 100 for letter in "AB"]
    kind = draw.choice(
        ["nothing", "entry", "entry", "letters", "content", "body", "choice", "text", "http", "bytes"]
    )
    what = kind
    if kind == "entry":
        what += ": " + changed(draw, said[draw.choice("AB")], ["reasoning", "score"])[0]
    elif kind == "letters":
        what += ": " + changed(draw, said, ["A", "B", "C", "a"])[0]
    content: Any = json.dumps(said)
    if kind == "content":
        content = draw.choice([odd_value(draw), damaged_text(draw, content), "I'm sorry, I cannot help.", "", content[:20],
                               "```json\n" + content + "\n```", content + content])  # fmt: skip
    choice: dict[str, Any] = {"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    if kind == "choice":
        part = draw.choice([choice, choice["message"]])
        what += ": " + changed(draw, part, ["finish_reason", "refusal", "message", "content", "index"])[0]
    body: Any = {"id": "x", "choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 5}}
    if kind == "body":
        what += ": " + changed(draw, body, ["choices", "usage", "error", "model"])[0]
    text = json.dumps(body)
    if kind == "text":
        text = damaged_text(draw, text)
    raw = text.encode("utf-8", "surrogatepass")
    head = {"Content-Type": "application/json", "Content-Length": str(len(raw)), "Connection": "close"}
    status = "200 OK"
    if kind == "http":
        how = draw.choice(["status", "length", "chunks", "head", "empty"])
        what += ": " + how
        if how == "status":
            status = draw.choice(
                ["500 No", "404 \x1b[2J", "429 Wait", "302 Found", "204 None", "99 Odd", "200", "x", "401 No"]
            )
            head["Retry-After"] = draw.choice(["0", "1e9", "nan", "-1", "x"])
            head["Location"] = "http://127.0.0.1:9/"
        elif how == "length":
            head["Content-Length"] = draw.choice(["0", "5", "-1", "x", str(len(raw) + 50), "9" * 30, ""])
        elif how == "chunks":
            head.pop("Content-Length")
            head["Transfer-Encoding"] = "chunked"
            raw = draw.choice(
                [b"zz\r\n", b"5\r\nabc", b"%x\r\n" % len(raw) + raw + b"\r\n0\r\n\r\n", b"f" * 40, b"-1\r\n"]
            )
        elif how == "head":
            head[draw.choice(["X", "é", "a b", ""])] = draw.choice(["y" * 70_000, "\x00", "z"])
        elif how == "empty":
            return b"", what, Opinion("nonsense", "there is no answer", (), PROBLEMS)
    answer = (
        f"HTTP/1.1 {status}\r\n".encode()
        + b"".join(f"{n}: {v}\r\n".encode() for n, v in head.items())
        + b"\r\n"
        + raw
    )
    if kind == "bytes":
        answer, how = damaged_bytes(draw, answer)
        what += ": " + how
    if kind in ("http", "bytes"):
        return answer, what, Opinion("unsure")
    why = _nonsense(text, raw)
    if why:
        return answer, what, Opinion("nonsense", why, (), PROBLEMS)
    is_plain = kind in ("nothing",)
    return answer, what, Opinion("sound", content=scores) if is_plain else Opinion("unsure")


def _nonsense(text: str, raw: bytes) -> str:
    """Why an answer does not say what was asked for, as the schema has it; "" where it may."""
    try:
        raw.decode()
        body = strict_json(text)
        choices = body["choices"]
        if not isinstance(choices, list) or len(choices) != 1:
            return "there is not one choice"
        message, reason = choices[0]["message"], choices[0].get("finish_reason")
        if reason in ("length", "content_filter"):
            return "it was cut off"
        said = strict_json(message["content"]) if isinstance(message["content"], str) else None
        if not isinstance(said, dict):
            return "the content is no object"
        for letter in "AB":
            entry = said[letter]
            if set(entry) != {"reasoning", "score"} or not isinstance(entry["reasoning"], str):
                return f"{letter} is no entry"
            if type(entry["score"]) is not int or not 0 <= entry["score"] <= 100:
                return f"the score of {letter} is none"
            if not entry["reasoning"].strip() or len(entry["reasoning"]) > 200:
                return f"the reasoning of {letter} is none"
    except (AttributeError, KeyError, IndexError, TypeError, UnicodeError, Nonsense) as error:
        return f"it is not of the form: {error!r}"[:100]
    return ""
