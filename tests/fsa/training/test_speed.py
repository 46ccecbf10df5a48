from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fsa.episodes.tokens import ItemTokens
from fsa.training import speed
from fsa.training.speed import Speed
from fsa.types import ChoiceBatch, EpisodeBatch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Times that the clock will show."""
    times: list[float] = []
    monkeypatch.setattr(speed.time, "perf_counter", lambda: times.pop(0))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    return times


def batch(tokens: int) -> EpisodeBatch:
    """Two options of one choice, one of so many tokens and one of two."""
    rows = ItemTokens.of([np.arange(tokens), np.arange(2)], [1, 1]).rows(np.arange(2), np.arange(2), 1)
    target = ChoiceBatch(torch.zeros(1, 1, 2, 1), torch.zeros(1, 1, 2).long(), torch.zeros(1, 1).long(), rows)
    number = torch.zeros(1).long()
    return EpisodeBatch(index=number, user=number, context=target, target=target)


def run(each: list[int | str]) -> Speed:
    """A run of batches with so many tokens, and validations between."""
    watch, module = Speed(), SimpleNamespace(device=torch.device("cpu"))
    for tokens in each:
        if isinstance(tokens, str):
            watch.on_validation_start(None, module)
        else:
            watch.on_train_batch_start(None, module, batch(tokens), 0)
    watch.on_train_end(None, module)
    return watch


def test_tokens_a_second_leave_out_warming_up_and_validations(clock: list[float]):
    # Three batches warm up. Then batches of 7 and 9 tokens in 2 s, a validation, and one of 5 tokens in 1 s.
    clock += [10.0, 12.0, 50.0, 51.0]
    assert run([99, 99, 99, 5, 7, "validation", 3]).to_json() == {"speed": {"tokens_per_second": 7}}
    assert not clock


def test_a_run_of_few_steps_says_nothing_of_speed(clock: list[float]):
    assert run([4, 4, 4, "validation"]).to_json() == {}


def test_a_run_without_tokens_says_nothing_of_speed(clock: list[float]):
    watch, plain = Speed(), batch(4)
    plain = replace(plain, target=replace(plain.target, tokens=None))
    for _ in range(9):
        watch.on_train_batch_start(None, SimpleNamespace(device=torch.device("cpu")), plain, 0)
    assert watch.to_json() == {}
