import pytest
import torch
from torch.testing import assert_close

from fsa.encoders.verbatim import Verbatim
from fsa.errors import CheckpointError, ConfigError
from fsa.models.nearest_users import NearestUsers
from fsa.outputs.reward_model import RewardModel
from fsa.solvers.ridge_logistic import ridge_logistic
from fsa.types import ChoiceBatch
from tests.factories.reward_models import choices_of, numbers, part, small_model


def chosen_by(tastes: list[list[float]], n: int, seed: int = 0) -> ChoiceBatch:
    """Pairs of random options; each user always chooses what is larger along their taste."""
    taste = torch.tensor(tastes, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(len(taste), n, 2, taste.shape[1], generator=generator, dtype=torch.float64)
    chosen = torch.einsum("bnkd,bd->bnk", features, taste).argmax(-1)
    return ChoiceBatch(features, torch.stack([chosen, 1 - chosen], -1), torch.ones(len(taste), n))


def scored(scorer: NearestUsers, context: ChoiceBatch, target: ChoiceBatch) -> torch.Tensor:
    belief = Verbatim(3, 1)(context)
    return scorer(target, belief.mean[None], belief)[0, ..., 0]


def options(users: int = 1) -> ChoiceBatch:
    """Three options that are the axes: their scores are the reward itself."""
    features = torch.eye(3, dtype=torch.float64).expand(users, 1, 3, 3)
    return ChoiceBatch(features, torch.zeros(users, 1, 3), torch.zeros(users, 1))


TASTES = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]]


def learned(tastes: list[list[float]], **options) -> NearestUsers:
    scorer = NearestUsers(3, 1, **options).double()
    scorer.fit_training_users([chosen_by(tastes, 60)])
    return scorer


def test_rewards_are_those_of_each_users_own_choices():
    choices = chosen_by(TASTES, 60)
    assert_close(learned(TASTES, ridge=2.0).rewards, ridge_logistic(choices.difference(), 2.0))


def test_batches_of_users_are_one_after_the_other():
    choices, scorer = chosen_by(TASTES, 60), NearestUsers(3, 1).double()
    scorer.fit_training_users([choices.of_user(0), choices.of_user(1), choices.of_user(2)])
    assert_close(scorer.rewards, learned(TASTES).rewards)


@pytest.mark.parametrize("n", [0, 1, 20])
def test_with_one_training_user_it_is_that_users_reward(n):
    scorer = learned(TASTES[:1])
    context = chosen_by([[0.0, -1.0, 0.0]], n, seed=5)
    assert_close(scored(scorer, context, options())[0, 0], scorer.rewards[0])


def test_somebody_who_chooses_like_a_training_user_gets_that_users_reward():
    scorer = learned(TASTES, temperature=1.0)
    found = scored(scorer, chosen_by(TASTES, 200, seed=5), options(3))[:, 0]
    assert_close(found, scorer.rewards, atol=1e-6, rtol=0)


def test_without_choices_all_training_users_count_the_same():
    scorer = learned(TASTES, nearest=1)
    found = scored(scorer, chosen_by(TASTES[:1], 0), options())[0, 0]
    assert_close(found, scorer.rewards.mean(0))


def test_weights_are_a_softmax_of_the_log_likelihood_over_the_nearest():
    """By hand: rewards 2, 1 and -2 along the only axis, one choice of difference 1, temperature 1/2."""
    scorer = NearestUsers(1, 1, nearest=2, temperature=0.5).double()
    scorer.rewards = torch.tensor([[2.0], [1.0], [-2.0]], dtype=torch.float64)
    context = ChoiceBatch(
        torch.tensor([[[[1.0], [0.0]]]], dtype=torch.float64), torch.tensor([[[0, 1]]]), torch.zeros(1, 1)
    )
    first, second = (torch.sigmoid(torch.tensor(r, dtype=torch.float64)) ** 2 for r in (2.0, 1.0))  # ^(1 / T)
    expected = (2 * first + 1 * second) / (first + second)
    target = ChoiceBatch(torch.ones(1, 1, 1, 1).double(), torch.zeros(1, 1, 1), torch.zeros(1, 1))
    assert_close(scored(scorer, context, target).squeeze(), expected)


def test_until_it_has_seen_users_all_scores_are_zero():
    assert not scored(NearestUsers(3, 1).double(), chosen_by(TASTES, 5), options(3)).any()


def test_numbers_out_of_range_are_refused():
    with pytest.raises(ConfigError, match="nearest is 0"):
        NearestUsers(3, 1, nearest=0)


def model(users: int) -> RewardModel:
    parts = {
        "encoder": part("encoders.verbatim.Verbatim"),
        "scorer": part("models.nearest_users.NearestUsers"),
    }
    made = small_model(**parts)
    made.scorer.rewards = torch.randn(users, 2, generator=torch.Generator().manual_seed(0)).double()
    return made


def test_saved_and_opened_again_it_knows_the_same_users(tmp_path):
    made = model(users=7)
    made.save_pretrained(tmp_path)
    opened = RewardModel.from_pretrained(tmp_path)
    assert opened.scorer.rewards.shape == (7, 2)
    before, after = (m.for_user(choices_of(1, 4)).score("", numbers(2, 3)).reward for m in (made, opened))
    assert abs(before).max() > 1e-3
    assert_close(torch.from_numpy(after), torch.from_numpy(before), atol=1e-6, rtol=0)


def test_stored_rewards_of_another_width_are_refused(tmp_path):
    made = model(users=7)
    made.scorer.rewards = torch.zeros(7, 3)
    made.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=r"scorer.rewards is \[7, 3\], should be \[1, 2\]"):
        RewardModel.from_pretrained(tmp_path)
