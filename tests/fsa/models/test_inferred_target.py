import numpy as np
import pytest
import torch
from torch.testing import assert_close

from fsa.encoders.verbatim import Verbatim
from fsa.errors import ConfigError
from fsa.judge.infer import infer_target, log_probabilities, prior
from fsa.judge.scores import AttributeScores
from fsa.models.inferred_target import InferredTarget
from fsa.types import ChoiceBatch

NAMES = ("0", "1")


def judged(scores: torch.Tensor) -> torch.Tensor:
    """Features of which the judge below makes these scores."""
    return torch.logit(scores)


def scorer() -> InferredTarget:
    made = InferredTarget(2, 1, attributes=2).double()
    torch.nn.init.eye_(made.judge.weight)
    torch.nn.init.zeros_(made.judge.bias)
    return made


def batch(scores: torch.Tensor, chosen: list[int]) -> ChoiceBatch:
    places = torch.ones(scores.shape[:3], dtype=torch.long)
    for choice, place in enumerate(chosen):
        places[:, choice, place] = 0
    return ChoiceBatch(judged(scores), places, torch.arange(len(chosen))[None])


def test_its_posterior_and_utilities_are_those_of_the_judges_inference():
    rng = np.random.default_rng(0)
    seen, asked, chosen = rng.uniform(0.05, 0.95, (4, 3, 2)), rng.uniform(0.05, 0.95, (1, 3, 2)), [0, 2, 1, 1]
    expected = infer_target(chosen, [AttributeScores(NAMES, one) for one in seen])
    model = scorer()
    context = batch(torch.from_numpy(seen)[None], chosen)
    found = model.posterior(context)
    assert_close(found[0], torch.from_numpy(expected.probability), atol=1e-6, rtol=1e-4)
    belief = Verbatim(2, 1)(context)
    reward = model(batch(torch.from_numpy(asked)[None], [0]), belief.mean[None], belief)[0, 0, 0, :, 0]
    # Utility up to a constant that all options share: its expectation, from log-probabilities.
    log_probs = log_probabilities(
        AttributeScores(NAMES, asked[0]), NAMES, expected.levels, expected.sharpnesses
    )
    utility = torch.from_numpy(np.einsum("th,thk->k", expected.probability, log_probs))
    assert_close((reward - reward[0]).float(), (utility - utility[0]).float(), atol=1e-4, rtol=1e-4)


def test_without_choices_the_prior_of_the_judge_is_left():
    context = ChoiceBatch(torch.zeros(1, 0, 2, 2).double(), torch.zeros(1, 0, 2).long(), torch.zeros(1, 0))
    assert_close(scorer().posterior(context)[0].float(), torch.from_numpy(prior(NAMES).probability).float())


@pytest.mark.parametrize("wrong", [0, 7])
def test_too_few_and_too_many_attributes_are_refused(wrong):
    with pytest.raises(ConfigError, match="attributes is"):
        InferredTarget(2, 1, attributes=wrong)
