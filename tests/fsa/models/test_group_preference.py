import pytest
import torch
from torch.testing import assert_close

from fsa.encoders.verbatim import Verbatim
from fsa.errors import ConfigError
from fsa.models.group_preference import GroupPreference
from fsa.types import ChoiceBatch

D = 4


def made(**options) -> GroupPreference:
    torch.manual_seed(0)
    return GroupPreference(D, 1, **{"width": 16, "heads": 2, **options}).eval().double()


def pairs(users: int = 2, n: int = 5, seed: int = 0) -> ChoiceBatch:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(users, n, 2, D, generator=generator, dtype=torch.float64)
    return ChoiceBatch(features, torch.tensor([0, 1]).expand(users, n, 2), torch.ones(users, n))


def scored(scorer: GroupPreference, context: ChoiceBatch, target: ChoiceBatch) -> torch.Tensor:
    belief = Verbatim(D, 1)(context)
    return scorer(target, belief.mean[None], belief)[0]


def test_with_an_empty_context_it_is_a_pooled_reward():
    """The network run on each target token alone, with nothing to attend to but itself."""
    scorer, target = made(), pairs(seed=1)
    token = torch.cat([target.features, torch.zeros(2, 5, 2, D + 1), torch.ones(2, 5, 2, 1)], -1).double()
    alone = scorer.score(scorer.transformer(scorer.embed(token).reshape(20, 1, 16))).reshape(2, 5, 2, 1)
    assert_close(scored(scorer, pairs(n=0), target), alone)


def test_a_target_sees_no_other_target():
    scorer, context, target = made(), pairs(), pairs(seed=1)
    moved = ChoiceBatch(target.features.clone(), target.places, target.rows)
    moved.features[:, 1:] += 1
    assert_close(scored(scorer, context, moved)[:, 0], scored(scorer, context, target)[:, 0])


def test_targets_in_several_parts_are_scored_as_in_one(monkeypatch):
    scorer, context, target = made(), pairs(), pairs(seed=1)
    at_once = scored(scorer, context, target)
    monkeypatch.setattr("fsa.models.group_preference._TARGETS_AT_ONCE", 3)
    assert_close(scored(scorer, context, target), at_once)


def test_it_matters_which_options_were_offered_together():
    """The same options, chosen and rejected as before, in other pairs."""
    scorer, context = made(), pairs(n=2)
    rejected = context.features[:, [1, 0], 1]
    other = ChoiceBatch(torch.stack([context.features[:, :, 0], rejected], 2), context.places, context.rows)
    difference = scored(scorer, other, pairs(seed=1)) - scored(scorer, context, pairs(seed=1))
    assert difference.abs().max() > 1e-4


def test_training_and_evaluation_read_the_same_where_nothing_is_dropped():
    """Torch has a fast path for evaluation alone."""
    scorer, context, target = made(dropout=0.0, feature_dropout=0.0), pairs(), pairs(seed=1)
    with torch.no_grad():
        evaluated = scored(scorer, context, target)
    assert_close(scored(scorer.train(), context, target), evaluated)


def test_it_scores_as_many_numbers_as_the_likelihood_has_parameters():
    assert scored(made(num_params=2), pairs(), pairs(seed=1)).shape == (2, 5, 2, 2)


def test_heads_have_to_divide_the_width():
    with pytest.raises(ConfigError, match="width is 16, which 3 heads"):
        made(heads=3)
