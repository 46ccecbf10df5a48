"""`Settings`: all that a server is told when it starts."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from fsa.errors import ConfigError
from fsa.runs.opening import STARTER

_LONGEST_WAIT = 60_000  # milliseconds: a request waits no longer than a minute for company


@dataclass(frozen=True)
class Settings:
    """What is served, to whom, and how much of it at once.

    Attributes:
        model: Run folder or hub id of a reward model (or of a policy, which scores too).
        policy: Run folder or hub id of a policy, for chat completions; "" for none.
        judge: Folder of a saved regressor, for target and candidates; "" for none.
        candidates: JSONL file of one candidate a line, `prompt` and `response`, for the page at / and others;
            "" for none.
        store: URL of the database of people, sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE;
            "" is people.db in the run folder, or for the starter in this folder.
        host: Address to listen on. One that other machines reach needs a key, see `fsa keys`.
        port: Port to listen on; 0 takes a free one.
        workers: Processes that serve, >= 1; each opens the models.
        max_batch: Requests scored together; 1 scores one at a time.
        max_wait_ms: Milliseconds that the first of a batch waits for company, up to a minute.
        max_queue: Requests that may wait for a batch; more are told to come again (429).
        max_body_bytes: Largest body of a request.
        body_seconds: Longest time for a request's head, and for its body, to arrive.
        max_choices: Most choices of a person.
        max_responses: Most responses that one request may have scored.
        max_tokens: Longest answer of the policy, in tokens.
        people_kept: Beliefs that a process keeps in memory.
        texts_kept: Texts whose features a process keeps in memory, until a person is erased.
        key_seconds: How long a process may go on accepting a key that was revoked.
        trust_remote_code: Run parts of a model that are not fsa's own.

    Raises:
        ConfigError: A number is not what it may be.
    """

    model: str
    policy: str = ""
    judge: str = ""
    candidates: str = ""
    store: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    max_batch: int = 64
    max_wait_ms: float = 1.0
    max_queue: int = 1024
    max_body_bytes: int = 1_000_000
    body_seconds: float = 20.0
    max_choices: int = 1000
    max_responses: int = 256
    max_tokens: int = 512
    people_kept: int = 10_000
    texts_kept: int = 10_000
    key_seconds: float = 5.0
    trust_remote_code: bool = False

    def __post_init__(self) -> None:
        counts = ("workers", "max_batch", "max_queue", "max_choices", "max_tokens")
        for name in (*counts, "people_kept", "texts_kept"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be 1 or more, came {getattr(self, name)}")
        if self.max_responses < 2 or self.max_body_bytes < 1000:
            raise ConfigError("max_responses must be 2 or more, and max_body_bytes 1000 or more")
        if not (0 <= self.max_wait_ms <= _LONGEST_WAIT and self.body_seconds > 0 and self.key_seconds >= 0):
            raise ConfigError(
                f"max_wait_ms must be from 0 to {_LONGEST_WAIT:,}, came {self.max_wait_ms}; "
                "key_seconds must be >= 0, and body_seconds > 0"
            )
        if not 0 <= self.port <= 65535:
            raise ConfigError(f"port must be from 0 to 65535, came {self.port}")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def store_url(self) -> str:
        """URL of the database.

        Raises:
            ConfigError: None was given, and the model is no folder that a file could lie in.
        """
        if self.store:
            return self.store
        if self.model == STARTER:  # its folder is that of the package
            return f"sqlite:///{Path('people.db').resolve()}"
        if not Path(self.model).is_dir():
            raise ConfigError(
                f"model {self.model} is no folder here, so --store must say where people are kept"
            )
        return f"sqlite:///{Path(self.model).resolve() / 'people.db'}"

    def to_json(self) -> str:
        """For a worker process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """What `to_json` gave."""
        return cls(**json.loads(text))
