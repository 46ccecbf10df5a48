import asyncio

import pytest
import torch

from fsa.errors import ConfigError
from fsa.serve.people import Asked
from fsa.serve.problems import NotFound
from fsa.serve.service import Service, model_hash
from fsa.serve.settings import Settings
from fsa.serve.store.database import migrate
from tests.fsa.serve.small import choices, text_rewards


def make(tmp_path, **settings) -> Service:
    service = Service(Settings("m", store=f"sqlite:///{tmp_path / 'p.db'}", **settings), text_rewards())
    migrate(service.engine)
    return service


def test_a_model_is_named_by_its_configuration_and_every_weight():
    first, same, other = text_rewards(), text_rewards(), text_rewards(seed=1)
    assert model_hash(first) == model_hash(same) != model_hash(other)
    with torch.no_grad():
        next(same.parameters()).view(-1)[0] += 1e-3
    assert model_hash(first) != model_hash(same)


def test_other_machines_are_answered_once_there_is_a_key(tmp_path):
    service = make(tmp_path, host="0.0.0.0")
    with pytest.raises(ConfigError, match="there is no key"):
        service.check()
    service.keys.add("acme", ["read"])
    service.check()
    assert not service.is_open
    assert make(tmp_path / "..", host="127.0.0.1") is not None


def test_rewards_are_those_of_the_library(tmp_path):
    service = make(tmp_path)
    wanted = service.rewards.for_user(choices(3)).score("Q?", ["Yes.", "No, not at all."])

    async def work() -> object:
        service.start()
        scored = await service.score(Asked("t", None, tuple(choices(3))), "Q?", ["Yes.", "No, not at all."])
        await service.close()
        return scored

    scored = asyncio.run(work())
    assert scored.reward == pytest.approx(wanted.reward, abs=1e-9)  # type: ignore[attr-defined]


def test_without_a_policy_nobody_writes(tmp_path):
    with pytest.raises(NotFound, match="no policy is served"):
        make(tmp_path).writer()
