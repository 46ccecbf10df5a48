"""The scorer sees validation episodes at every context size, and is told how likely their choices were."""

import numpy as np
import torch

from fsa.encoders.taste_posterior import TastePosterior
from fsa.likelihoods.btl import BradleyTerryLuce
from fsa.likelihoods.likelihood import predicted
from fsa.models.taste_reward import TasteReward
from fsa.recipes.calibration import calibrate, other_draws
from tests.factories.training import SIZES, small_data, small_module


def test_the_figure_is_that_of_the_calibrated_model_over_all_context_sizes():
    torch.manual_seed(0)
    encoder, scorer, data = TastePosterior(3, 2, units=4, std=2.0), TasteReward(3, 2, units=4), small_data()
    scorer.bind(encoder)
    with torch.no_grad():
        encoder.population.wide.weight.normal_(std=2)
    batches = [data.collate_frozen(data.frozen.with_context(size)) for size in SIZES]

    @torch.no_grad()
    def nll() -> np.ndarray:
        each = []
        for batch in batches:
            belief = encoder.eval()(batch.context)
            predictive = scorer.predictive(batch.target, belief, torch.zeros(16, *belief.mean.shape))
            told = predicted(BradleyTerryLuce(), predictive, batch.target)[1] * batch.target.mask
            each.append(-(told.sum(-1) / batch.target.mask.sum(-1)))
        return torch.stack(each).mean(0).numpy()

    before = nll()
    found, after = calibrate(encoder, scorer, BradleyTerryLuce(), data), nll()
    of_each = [after[data.frozen.user == one].mean() for one in np.unique(data.frozen.user)]
    np.testing.assert_allclose(found, of_each, rtol=1e-5)
    assert after.mean() < before.mean() - 0.01
    again = calibrate(encoder, scorer, BradleyTerryLuce(), data)
    assert again.mean() < found.mean() + 1e-4  # no more to find


def test_other_models_are_left_as_they_are():
    module = small_module()
    before = {name: weight.clone() for name, weight in module.state_dict().items()}
    assert calibrate(module.encoder, module.scorer, module.likelihood, small_data()) is None
    assert all(torch.equal(weight, before[name]) for name, weight in module.state_dict().items())


def test_other_draws_are_of_the_same_choices_with_other_contexts():
    data = small_data()
    frozen, others = data.frozen, other_draws(data)
    assert set(others.index).isdisjoint(frozen.index)
    assert len(others.index) == 4 * len(frozen.index)
    same = [(context == frozen.context).all(1).any() for context in others.context]
    assert np.mean(same) < 0.5
