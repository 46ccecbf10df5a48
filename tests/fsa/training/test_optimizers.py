import math

import pytest
import torch
from torch import nn

from fsa.errors import ConfigError
from fsa.training.optimizers import AdamW


def test_matrices_decay_and_vectors_do_not():
    model = nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2), nn.Linear(2, 1))
    model[2].weight.requires_grad_(False)
    optimizer, _ = AdamW(lr=0.5, weight_decay=0.1, betas=(0.8, 0.95)).build(model, 10)
    decayed, rest = optimizer.param_groups
    assert [p.shape for p in decayed["params"]] == [(2, 3)]  # the frozen matrix is left out
    assert {id(p) for p in rest["params"]} == {id(p) for p in model.parameters() if p.ndim == 1}
    assert (decayed["weight_decay"], rest["weight_decay"]) == (0.1, 0.0)
    assert decayed["betas"] == rest["betas"] == (0.8, 0.95)


def test_the_first_step_is_the_one_written_by_hand():
    weight = nn.Linear(1, 1, bias=False)
    nn.init.constant_(weight.weight, 2.0)
    optimizer, _ = AdamW(lr=0.1, weight_decay=0.5, warmup=0.0).build(weight, 10)
    weight(torch.tensor([[3.0]])).sum().backward()
    optimizer.step()
    # Decay: 2 - 0.1 * 0.5 * 2 = 1.9. Adam's first step is the sign of the gradient: 1.9 - 0.1.
    assert math.isclose(weight.weight.item(), 1.8, abs_tol=1e-6)


def test_the_rate_warms_up_and_falls_along_half_a_cosine():
    rate = AdamW(warmup=0.2).rate  # of 20 steps: 4 to warm up, 16 to fall
    assert [rate(step, 20) for step in (0, 1, 3)] == [0.25, 0.5, 1.0]
    assert math.isclose(rate(4, 20), 1.0)
    assert math.isclose(rate(12, 20), 0.5)
    assert math.isclose(rate(8, 20), 0.5 * (1 + math.sqrt(0.5)))  # a quarter of the way: cos 45 degrees
    assert math.isclose(rate(20, 20), 0.0)


def test_a_constant_rate_warms_up_and_stays():
    rate = AdamW(warmup=0.5, schedule="constant").rate
    assert [rate(step, 4) for step in range(5)] == [0.5, 1.0, 1.0, 1.0, 1.0]


def test_a_run_shorter_than_its_warm_up_has_a_rate():
    assert AdamW(warmup=0.05).rate(0, 1) == 1.0


def test_the_scheduler_sets_the_rate_of_each_step():
    model = nn.Linear(2, 1)
    optimizer, scheduler = AdamW(lr=0.4, warmup=0.5, schedule="constant").build(model, 4)
    rates = []
    for _ in range(3):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert rates == pytest.approx([0.2, 0.4, 0.4])


def test_parts_have_rates_of_their_own_and_the_longest_name_counts():
    model = nn.ModuleDict({"encoder": nn.Linear(2, 2), "scorer": nn.Linear(2, 2)})
    optimizer, _ = AdamW(lr=1.0, lr_of={"encoder": 2.0, "encoder.bias": 3.0}).build(model, 10)
    rates = {id(p): group["initial_lr"] for group in optimizer.param_groups for p in group["params"]}
    assert {name: rates[id(p)] for name, p in model.named_parameters()} == {
        "encoder.weight": 2.0,
        "encoder.bias": 3.0,
        "scorer.weight": 1.0,
        "scorer.bias": 1.0,
    }


def test_a_rate_for_a_part_that_is_not_trained_is_an_error():
    with pytest.raises(ConfigError, match="'decoder'"):
        AdamW(lr_of={"decoder": 1.0}).build(nn.Linear(2, 2), 10)
