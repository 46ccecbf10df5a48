"""`OpenAIEngine`: any server that speaks the OpenAI chat protocol, asked politely and believed in nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from fsa.errors import ConfigError
from fsa.features.progress import SlowBar
from fsa.judge.engines.engine import Engine, Question, Reply
from fsa.judge.engines.http import Answered, Failed, post_json
from fsa.judge.engines.secrets import masked, secret
from fsa.judge.schema import RepeatedName, is_refusal, json_of
from fsa.seeding import uniform

_WORTH_REPEATING = {408, 409, 425, 429, 500, 502, 503, 504, 520, 529}
_NO_USE_TO_GO_ON = {
    401: "the key is refused",
    403: "access is refused",
    404: "there is no such address or model",
}
_LONGEST_WAIT = 60.0  # seconds, whatever a server asks for


class OpenAIEngine(Engine):
    """Sends one request a question, several at once, and repeats what failed in passing.

    A server may ignore the schema, or `n`, and still answer 200: every answer is asked for by itself, every
    body is checked, and a text that is no JSON object is the problem "unconstrained output". Failed
    requests are repeated after a wait that doubles; those that never succeed become a problem ("time-out",
    "HTTP 500", "malformed body"), so that one bad answer does not end a long run.

    Args:
        model: The model's name at the server.
        base_url: Up to and with the version, such as "http://127.0.0.1:8000/v1".
        key_from: Environment variable that holds the key. It is read for each request, sent to this server
            alone, and kept nowhere; without it no key is sent.
        concurrency: Requests under way at once.
        per_minute: Most requests that start in a minute; None for as many as there can be.
        attempts: Most requests a question.
        timeout: Seconds that a request may take as a whole.
        first_wait: Seconds before the second attempt; doubled for each further one. A `Retry-After` that asks
            for more is obeyed, up to a minute; one beyond that is not waited for, and the question fails.
        temperature: 0 takes the likeliest token.

    Raises:
        ConfigError: A number is not what it may be, or `base_url` is no http address. While asking: the
            server refuses the key, or knows no such address or model.
    """

    def __init__(
        self,
        model: str,
        base_url: str = "https://api.openai.com/v1",
        key_from: str = "OPENAI_API_KEY",
        concurrency: int = 8,
        per_minute: float | None = None,
        attempts: int = 5,
        timeout: float = 60.0,
        first_wait: float = 1.0,
        temperature: float = 0.0,
    ) -> None:
        _check_address(base_url)
        for name, value in (("concurrency", concurrency), ("attempts", attempts)):
            if value < 1:
                raise ConfigError(f"{name} must be 1 or more, came {value}")
        if timeout <= 0 or first_wait < 0 or temperature < 0 or (per_minute is not None and per_minute <= 0):
            raise ConfigError(
                "timeout and per_minute must be > 0, first_wait and temperature >= 0, "
                f"came {timeout}, {per_minute}, {first_wait} and {temperature}"
            )
        self.model, self.base_url, self.key_from = model, base_url.rstrip("/"), key_from
        self.concurrency, self.attempts, self.timeout = concurrency, attempts, timeout
        self.first_wait, self.temperature = first_wait, temperature
        self._turn = _Pace(0.0 if per_minute is None else 60 / per_minute)

    def ask(self, questions: Sequence[Question], progress: bool = False) -> list[Reply]:
        with (
            ThreadPoolExecutor(self.concurrency) as pool,
            SlowBar(f"Answers ({self.model})", len(questions), enabled=progress) as bar,
        ):
            try:
                replies = []
                for reply in pool.map(self._ask, questions):
                    replies.append(reply)
                    bar.advance(1, reply.generated_tokens)
                return replies
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _ask(self, question: Question) -> Reply:
        """One question, repeated while that may help."""
        reply = Reply(None, "no answer", requests=0)
        for attempt in range(self.attempts):
            self._turn.wait()
            came = self._post(question)
            again = self._read(came)
            spent = (
                reply.prompt_tokens + again.prompt_tokens,
                reply.generated_tokens + again.generated_tokens,
            )
            reply = replace(again, requests=attempt + 1, prompt_tokens=spent[0], generated_tokens=spent[1])
            asked_for = came.retry_after if isinstance(came, Answered) else 0.0
            may_pass = isinstance(came, Failed) or came.status in _WORTH_REPEATING
            if not (may_pass or reply.problem == "malformed body") or attempt + 1 == self.attempts:
                break
            if asked_for > _LONGEST_WAIT:
                break
            time.sleep(self._wait(question, attempt, came))
        return reply

    def _post(self, question: Question) -> Answered | Failed:
        key = secret(self.key_from)
        came = post_json(
            f"{self.base_url}/chat/completions",
            self._body(question),
            {"Authorization": f"Bearer {key}"} if key else {},
            self.timeout,
        )
        if isinstance(came, Answered):  # before anything of it is cut, shown or kept
            came = replace(came, text=masked(came.text, key))
        if isinstance(came, Answered) and came.status in _NO_USE_TO_GO_ON:
            said = "".join(each if each.isprintable() else " " for each in came.text[:300])
            raise ConfigError(
                f"{self.base_url}: HTTP {came.status}, {_NO_USE_TO_GO_ON[came.status]} "
                f"(model {self.model!r}, key from ${self.key_from}{'' if key else ', not set'}): {said}"
            )
        return came

    def _body(self, question: Question) -> dict[str, Any]:
        schema = {"name": "answer", "strict": True, "schema": question.schema}
        return {
            "model": self.model,
            "messages": question.messages(),
            "temperature": self.temperature,
            "seed": question.seed,
            "max_tokens": question.max_tokens,
            "response_format": {"type": "json_schema", "json_schema": schema},
        }

    def _read(self, came: Answered | Failed) -> Reply:
        if isinstance(came, Failed):
            return Reply(None, came.problem)
        if came.status != 200:
            return Reply(None, f"HTTP {came.status}")
        try:
            body = json_of(came.text)
        except ValueError:
            return Reply(None, "malformed body")
        return _reply_of(body)

    def _wait(self, question: Question, attempt: int, came: Answered | Failed) -> float:
        """Seconds: doubled each time, spread so that requests that failed together do not return together."""
        spread = 0.5 + float(uniform(question.seed, attempt))
        asked_for = came.retry_after if isinstance(came, Answered) else 0.0
        return min(max(self.first_wait * 2**attempt * spread, asked_for), _LONGEST_WAIT)


def _check_address(base_url: str) -> None:
    """Refuse what is no plain http address; a password in it is not shown.

    Raises:
        ConfigError: Says what is wrong.
    """
    try:
        parts = urlsplit(base_url)
        port_is_right = parts.port is None or 0 < parts.port < 65536
    except ValueError:
        port_is_right = False
    if "@" in base_url:
        raise ConfigError("base_url must not hold a user or password; put the key into the variable key_from")
    if any(c.isspace() or not c.isprintable() for c in base_url) or not port_is_right:
        raise ConfigError(
            f"base_url must be an address with a port from 1 to 65535 or none, came {base_url!r}"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"base_url must be an http or https address, came {base_url!r}")


def _reply_of(body: Any) -> Reply:
    """The one answer of a body, checked part by part."""
    choices = body.get("choices") if isinstance(body, Mapping) else None
    choice = choices[0] if isinstance(choices, list) and len(choices) == 1 else None
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(choice, Mapping) or not isinstance(message, Mapping):
        return Reply(None, "malformed body")
    usage = body.get("usage")
    read, written = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    reply = Reply(None, prompt_tokens=read, generated_tokens=written)
    text, refused = message.get("content"), message.get("refusal")
    if refused or choice.get("finish_reason") == "content_filter":
        return replace(reply, problem="refusal")
    if not isinstance(text, str):
        return replace(reply, problem="malformed body")
    return replace(reply, text=text, problem=_problem_of(text, choice.get("finish_reason")))


def _problem_of(text: str, finish_reason: Any) -> str | None:
    """What forbids the use of an answer's text, whatever the schema."""
    if finish_reason == "length":
        return "truncated"
    try:
        if isinstance(json_of(text), Mapping):
            return None
    except RepeatedName:
        return None  # JSON of a kind; the reader of the answer says what is wrong with it
    except ValueError:
        pass
    return "refusal" if is_refusal(text) else "unconstrained output"


def _count(usage: Any, name: str) -> int:
    """Tokens as the server counts them; 0 where it does not say."""
    value = usage.get(name) if isinstance(usage, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


@dataclass
class _Pace:
    """Lets one request start every `interval` seconds, whichever thread it is of."""

    interval: float
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._lock, self._next = threading.Lock(), 0.0

    def wait(self) -> None:
        """Return when it is this request's turn."""
        with self._lock:
            now = self.clock()
            start = max(now, self._next)
            self._next = start + self.interval
        time.sleep(max(start - now, 0))
