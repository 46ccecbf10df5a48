"""`Service`: the models, the store and the queues of one server process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import Engine

from fsa.errors import ConfigError, FsaError
from fsa.judge.regressor import RegressorJudge
from fsa.outputs.candidates import read_candidates
from fsa.outputs.loading import load
from fsa.outputs.person_file import model_hash
from fsa.outputs.policy import Policy
from fsa.outputs.reward_model import RewardModel
from fsa.serve.batching import MicroBatcher
from fsa.serve.in_process import without_traces
from fsa.serve.people import Asked, People
from fsa.serve.pool import Pool
from fsa.serve.problems import NotFound
from fsa.serve.scoring import Scored, ToScore, score_all
from fsa.serve.settings import Settings
from fsa.serve.store.database import open_database
from fsa.serve.store.keys import KeyStore
from fsa.serve.store.people import PeopleStore, Who
from fsa.serve.telemetry import Metrics
from fsa.serve.writing import ToWrite, Writer, Written
from fsa.types import Numbers, Text

_DATABASE_THREADS = 8
_AT_ONCE = 16  # candidates read before other requests have their turn


class Service:
    """Everything that routes share.

    Args:
        settings: What is served.
        rewards: The reward model, where it is open already.
        policy: The policy, likewise.

    Raises:
        CheckpointError: A folder is not what it should be.
        StoreError: The database's URL is not one.
        ChoiceDataError: The file of candidates is none.
        ConfigError: The server would be open to other machines without a key.
    """

    def __init__(
        self, settings: Settings, rewards: RewardModel | None = None, policy: Policy | None = None
    ) -> None:
        self.settings, self.metrics, self.started = settings, Metrics(), int(time.time())
        self.engine: Engine = open_database(settings.store_url)
        self.store, self.keys = PeopleStore(self.engine, settings.max_choices), KeyStore(self.engine)
        self.rewards = without_traces(
            rewards or load(settings.model, trust_remote_code=settings.trust_remote_code),
            settings.texts_kept,
        )
        self.policy = policy or _policy(settings, self.rewards)
        self.candidates = read_candidates(settings.candidates) if settings.candidates else []
        self.judge = RegressorJudge.load(settings.judge) if settings.judge else None
        self.model_hash = model_hash(self.rewards)
        self.people = self._people(self.rewards)
        apart = self.policy if self.policy is not self.rewards else None
        self.writing_people = self._people(apart) if apart is not None else self.people
        self.database = Pool("fsa-store", _DATABASE_THREADS, settings.max_queue)
        # One thread a model: what it computes at once it computes as a batch.
        self.model = Pool("fsa-model", 1, settings.max_queue)
        self.scores = MicroBatcher[ToScore, Scored](
            lambda items: score_all(self.people, items),
            max_items=settings.max_batch,
            max_wait=settings.max_wait_ms / 1000,
            max_queue=settings.max_queue,
            executor=self.model.executor,
            observe=self.metrics.batch.labels("score").observe,
        )
        self.answers = self._answers()
        self._reading: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether requests without a key are answered: on this machine alone, while there never was a key."""
        return self.settings.is_loopback and not self.keys.any()

    def check(self) -> None:
        """Refuse to be open to other machines.

        Raises:
            ConfigError: There is no key, and the address is not of this machine alone.
        """
        if not self.settings.is_loopback and not self.keys.any():
            raise ConfigError(
                f"host is {self.settings.host}, which other machines reach, and there is no key; make one "
                "with `fsa keys --add TENANT`, or listen on 127.0.0.1"
            )

    def start(self) -> None:
        """Begin to answer; in a running event loop."""
        self.scores.start()
        if self.answers is not None:
            self.answers.start()
        if self.candidates and hasattr(self.rewards.features, "hold"):
            self._reading = asyncio.create_task(self._read_candidates())

    async def close(self) -> None:
        """Answer what was taken, then end."""
        if self._reading is not None:
            self._reading.cancel()
        await self.scores.close()
        if self.answers is not None:
            await self.answers.close()
        for pool in (self.model, self.database):
            pool.close()
        self.engine.dispose()

    async def score(self, asked: Asked, prompt: Text, responses: Sequence[Text | Numbers]) -> Scored:
        """One person's scores of some responses, computed with those of other requests."""
        self.metrics.waiting.set(self.scores.num_waiting)
        return await self.scores.submit(ToScore(asked, prompt, responses))

    async def forget(self, who: Who) -> int:
        """Drop what memory holds of an erased person; how many beliefs that were."""
        held = [await self.model.run(self._forget, who)]
        if self.writing_people is not self.people:
            held.append(self.writing_people.forget(who))
        return sum(held)

    def writer(self) -> MicroBatcher[ToWrite, Written]:
        """What answers prompts.

        Raises:
            NotFound: There is no policy.
        """
        if self.answers is None:
            raise NotFound("no policy is served; start the server with --policy RUN")
        return self.answers

    async def _read_candidates(self) -> None:
        """Read the candidates before they are first asked about, some at a time: requests go between."""
        texts = [(group.prompt, response) for group in self.candidates for response in group.responses]
        hold = self.rewards.features.hold  # type: ignore[attr-defined]
        for first in range(0, min(len(texts), self.settings.texts_kept), _AT_ONCE):
            with suppress(FsaError):  # what cannot be read is said to those who ask about it
                await self.model.run(hold, *zip(*texts[first : first + _AT_ONCE], strict=True))

    def _forget(self, who: Who) -> bool:
        self.people.forget_texts()
        return self.people.forget(who)

    def _people(self, model: RewardModel) -> People:
        return People(model, self.store, self.settings.people_kept, self.metrics.beliefs_looked_up)

    def _answers(self) -> MicroBatcher[ToWrite, Written] | None:
        if self.policy is None:
            return None
        same = self.writing_people is self.people
        writer = Writer(self.policy, self.writing_people)
        return MicroBatcher[ToWrite, Written](
            writer.write,
            max_items=self.settings.max_batch,
            max_wait=self.settings.max_wait_ms / 1000,
            max_queue=self.settings.max_queue,
            executor=self.model.executor if same else None,
            observe=self.metrics.batch.labels("chat").observe,
        )


def _policy(settings: Settings, rewards: RewardModel) -> Policy | None:
    if settings.policy:
        policy = Policy.from_pretrained(settings.policy, trust_remote_code=settings.trust_remote_code)
        return without_traces(policy)
    return rewards if isinstance(rewards, Policy) else None
