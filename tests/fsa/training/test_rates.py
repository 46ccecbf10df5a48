from types import SimpleNamespace
from typing import Any

import pytest
import torch

from fsa.training.optimizers import AdamW
from fsa.training.rates import RatesAsAsked


def test_a_resumed_run_takes_its_rates_from_its_settings():
    layer = torch.nn.Linear(2, 1)
    before, schedule = AdamW(lr=1e-3).build(layer, 100)
    module: Any = layer
    module.optimizer = AdamW(lr=5e-3)
    trainer: Any = SimpleNamespace(
        global_step=1,
        max_steps=100,
        optimizers=[before],
        lr_scheduler_configs=[SimpleNamespace(scheduler=schedule)],
    )
    was = before.param_groups[0]["lr"]
    RatesAsAsked().on_train_start(trainer, module)
    assert before.param_groups[0]["lr"] == pytest.approx(5 * was)
    assert schedule.get_last_lr() == [group["lr"] for group in before.param_groups]


def test_a_run_that_begins_keeps_what_it_has():
    trainer: Any = SimpleNamespace(global_step=0, optimizers=[None])
    RatesAsAsked().on_train_start(trainer, torch.nn.Linear(1, 1))  # type: ignore[arg-type]
