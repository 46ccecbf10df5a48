"""The form that predicts validation best is trained to the end; its trial's weights are kept if better."""

import copy
import math

import numpy as np
import pytest
import torch

from fsa.encoders.no_context import NoContext
from fsa.encoders.taste_posterior import TastePosterior
from fsa.likelihoods.btl import BradleyTerryLuce
from fsa.models.taste_reward import TasteReward
from fsa.objectives.nll import NegativeLogLikelihood
from fsa.recipes import taste_forms
from fsa.recipes.calibration import calibrate, other_draws
from fsa.recipes.taste_forms import calibrate_better, choose_form, weights_of
from fsa.training.module import ChoiceModule
from fsa.training.optimizers import AdamW
from tests.factories.training import SIZES, small_data, small_loop, small_module

SPREADS = torch.tensor([1.0, 0.1, 1.0])


def module(encoder=None) -> ChoiceModule:
    torch.manual_seed(0)
    encoder = encoder or TastePosterior(3, 2, units=4, components=2, dropout=0.0)
    parts = (encoder, TasteReward(3, 2, units=4, dropout=0.0), BradleyTerryLuce(), NegativeLogLikelihood())
    return ChoiceModule(*parts, AdamW(lr=0.05), 2, SIZES, seed=3, num_choices=400)


def loud_data():
    data = small_data()
    data.features = data.features * SPREADS
    return data


def chosen(tmp_path, made: ChoiceModule, data, steps: int = 15, resume: bool = False):
    train = data.train.table
    return choose_form(made, data, train, data.features, small_loop(max_steps=steps), tmp_path, resume)


def test_each_form_has_a_run_of_its_own_and_leaves_the_weights_as_they_were(tmp_path):
    made, data = module(), loud_data()
    before = {name: weight.clone() for name, weight in made.named_parameters()}
    found, trial = chosen(tmp_path, made, data)
    assert list(found["form_nll"]) == ["usual", "held back", "equally loud"]
    assert all(math.isfinite(nll) for nll in found["form_nll"].values())
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == [
        "equally_loud",
        "held_back",
        "usual",
    ]
    for name, weight in made.named_parameters():
        assert torch.equal(weight, before[name]), name
        assert name in trial
    assert any(not torch.equal(trial[name], weight) for name, weight in before.items())


@pytest.mark.parametrize(
    ("nll", "form"),
    [([0.5, 0.4, 0.3], "equally loud"), ([0.5, 0.49, 0.495], "held back"), ([0.5, 0.499, 0.6], "usual")],
)
def test_another_form_has_to_be_clearly_better(tmp_path, monkeypatch, nll, form):
    made, data, given, people = module(), loud_data(), iter(nll), np.arange(5)
    monkeypatch.setattr(taste_forms, "calibrate", lambda *_: next(given) + 0 * people)
    found, _ = chosen(tmp_path, made, data)
    assert found["form"] == form
    size = made.encoder.taste.size
    assert (size is not None) == (form == "equally loud")
    if size is not None:
        spread = data.features[data.train.table.items_used].std(0)
        torch.testing.assert_close(size, 1 / spread)
    assert made.encoder.precisions == (3.0, 300.0 if form == "held back" else 30.0)
    assert made.scorer.precisions == made.scorer.doubt.precisions == made.encoder.precisions


def test_what_differs_from_person_to_person_is_not_clear(tmp_path, monkeypatch):
    """Better by 0.1 in the mean, with a standard error of 0.23 and then of 0.03."""
    given = iter([np.full(3, 1.0), 1.0 - np.array([0.5, -0.3, 0.1]), np.full(3, 2.0)])
    monkeypatch.setattr(taste_forms, "calibrate", lambda *_: next(given))
    assert chosen(tmp_path / "unclear", module(), loud_data())[0]["form"] == "usual"
    given = iter([np.full(3, 1.0), 1.0 - np.array([0.15, 0.05, 0.1]), np.full(3, 2.0)])
    monkeypatch.setattr(taste_forms, "calibrate", lambda *_: next(given))
    assert chosen(tmp_path / "clear", module(), loud_data())[0]["form"] == "held back"


def test_a_run_that_is_resumed_chooses_the_same_form_without_a_step(tmp_path, monkeypatch):
    first = chosen(tmp_path, module(), loud_data())
    monkeypatch.setattr(ChoiceModule, "training_step", lambda *_: pytest.fail("it trained again"))
    again = chosen(tmp_path, module(), loud_data(), resume=True)
    assert first[0] == again[0]
    assert all(torch.equal(weight, again[1][name]) for name, weight in first[1].items())


def test_features_of_one_spread_have_one_form():
    assert module().scorer.forms(torch.tensor([1.0, 1.5, 1.9])) == {}
    assert len(module().scorer.forms(torch.tensor([1.0, 0.0, 1.9]))) == 3


def test_models_of_one_form_and_the_shortest_runs_have_nothing_to_choose(tmp_path):
    data = small_data()
    assert chosen(tmp_path, small_module(), data) == ({}, {})
    assert chosen(tmp_path, module(NoContext(3, 2)), data) == ({}, {})
    assert chosen(tmp_path, module(), data, steps=4) == ({}, {})
    assert not (tmp_path / "checkpoints").exists()


def calibrated(made: ChoiceModule, data) -> tuple[dict, dict]:
    """What is known of a trial that ended with these weights, and the weights once they are calibrated."""
    end = copy.deepcopy(made)
    nll = calibrate(end.encoder, end.scorer, end.likelihood, data)
    calibrate(end.encoder, end.scorer, end.likelihood, data, other_draws(data))
    known = {"form": "usual", "form_nll": {"usual": float(nll.mean())}}
    return known, {**dict(end.named_parameters()), **dict(end.scorer.named_buffers())}


def assert_is(made: ChoiceModule, end: dict) -> None:
    now = {**dict(made.named_parameters()), **dict(made.scorer.named_buffers())}
    assert now.keys() == end.keys()
    for name, weight in now.items():
        torch.testing.assert_close(weight, end[name], msg=name)


def test_the_better_weights_stay_and_are_calibrated_by_other_draws(tmp_path):
    made, data = module(), small_data()
    made.encoder.lapse.requires_grad_(False)
    with torch.no_grad():
        made.encoder.population.wide.weight.normal_()
    bad = {name: weight.clone() for name, weight in made.named_parameters()}
    of_bad, _ = calibrated(made, data)
    small_loop(max_steps=60, patience=0).fit(made, data, tmp_path)
    good = {name: weight.clone() for name, weight in made.named_parameters()}
    of_good, end = calibrated(made, data)
    told = calibrate_better(made, data, bad, of_bad, {})["calibrated_nll"]
    assert told["run"] < told["trial"]
    assert_is(made, end)
    for name, weight in made.named_parameters():
        weight.data.copy_(bad[name])
    told = calibrate_better(made, data, good, of_good, {})["calibrated_nll"]
    assert told["trial"] < told["run"]
    assert_is(made, end)


def test_without_a_trial_a_module_is_calibrated_as_it_is():
    made, data = module(), small_data()
    _, end = calibrated(made, data)
    assert calibrate_better(made, data, {}, {}, {}) == {}
    assert_is(made, end)


@pytest.mark.parametrize(
    ("gains", "stays"), [([0.2, -0.1, 0.1], True), ([0.5, -0.4, 0.0], False), ([0.1], True)]
)
def test_one_model_for_everybody_stays_unless_another_is_clearly_better(monkeypatch, gains, stays):
    """Gains of 0.067 with a standard error of 0.088, of 0.033 with one of 0.26, and of a single person."""
    made, gains = module(), np.array(gains)
    start = weights_of(made)
    with torch.no_grad():
        made.encoder.taste.wide.weight.normal_()
    best = weights_of(made)
    given = iter([1 - gains, np.ones(len(gains)), None])
    monkeypatch.setattr(taste_forms, "calibrate", lambda *_: next(given))
    told = calibrate_better(made, small_data(), {}, {}, start)
    assert told.pop("personal_gain") == pytest.approx(gains.mean())
    assert told == {"weights": "personal" if stays else "pooled"}
    for name, weight in made.named_parameters():
        assert torch.equal(weight, (best if stays else start)[name])
