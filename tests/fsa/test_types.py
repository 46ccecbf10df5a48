import itertools
import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Independent, Normal, kl_divergence
from torch.testing import assert_close

from fsa.errors import ConfigError, EpisodeError, ShapeError
from fsa.types import (
    Belief,
    Choice,
    ChoiceBatch,
    Episode,
    EpisodeBatch,
    Pick,
    Ranking,
    Tie,
    outcome_of,
    reversed_places,
)


@st.composite
def outcomes(draw):
    """An outcome over k options, in the one form that says it (a ranking of a pair is a pick)."""
    k = draw(st.integers(2, 6))
    order = draw(st.permutations(range(k)))
    kind = draw(st.sampled_from(["pick", "tie", "ranking"]))
    if kind == "pick" or (kind == "ranking" and k == 2):
        return Pick(order[0]), k
    if kind == "tie":
        return Tie(tuple(sorted(order[: draw(st.integers(2, k))]))), k
    named = draw(st.integers(2, k))
    return Ranking(tuple(order[: k if named == k - 1 else named])), k  # all but one is all


class TestOutcomes:
    def test_places_are_zero_for_the_best(self):
        assert Pick(2).places(3) == (1, 1, 0)
        assert Tie((0, 2)).places(3) == (0, 1, 0)
        assert Ranking((2, 0, 1)).places(3) == (1, 2, 0)
        assert Ranking((2, 0)).places(5) == (1, 2, 0, 2, 2)

    @given(outcomes())
    def test_outcome_of_is_the_inverse_of_places(self, case):
        outcome, k = case
        assert outcome_of(outcome.places(k)) == outcome

    @given(outcomes())
    def test_places_say_the_same_after_a_round_trip(self, case):
        outcome, k = case
        assert outcome_of(outcome.places(k)).places(k) == outcome.places(k)

    def test_a_ranking_that_only_names_a_best_option_is_a_pick(self):
        assert outcome_of(Ranking((1, 0)).places(2)) == Pick(1)
        assert outcome_of(Ranking((1,)).places(4)) == Pick(1)

    @given(outcomes())
    def test_reversing_twice_changes_nothing(self, case):
        places = case[0].places(case[1])
        assert reversed_places(reversed_places(places)) == places


class TestChoice:
    def choice(self, outcome, k: int) -> Choice:
        return Choice("ann", "Hi", tuple(f"reply {i}" for i in range(k)), outcome, group="g", split="train")

    def test_the_opposite_of_a_pick_between_two_is_the_other(self):
        assert self.choice(Pick(0), 2).reversed() == self.choice(Pick(1), 2)

    def test_the_opposite_of_a_pick_among_three_is_anything_but(self):
        assert self.choice(Pick(1), 3).reversed() == self.choice(Tie((0, 2)), 3)

    def test_the_opposite_of_a_ranking_runs_backwards(self):
        assert self.choice(Ranking((2, 0, 1)), 3).reversed() == self.choice(Ranking((1, 0, 2)), 3)

    def test_a_complete_tie_is_its_own_opposite(self):
        assert self.choice(Tie((0, 1)), 2).reversed() == self.choice(Tie((0, 1)), 2)


class TestEpisode:
    def choice(self, prompt, *options) -> Choice:
        return Choice("ann", prompt, options or ("yes", "no"), Pick(0))

    def test_an_empty_context_is_legal_and_an_empty_target_is_not(self):
        assert Episode((), (self.choice("a"),)).context == ()
        with pytest.raises(EpisodeError, match="target is empty"):
            Episode((self.choice("a"),), ())

    def test_a_shared_prompt_is_refused(self):
        with pytest.raises(EpisodeError, match="share the prompt 'b'"):
            Episode((self.choice("a"), self.choice("b")), (self.choice("c"), self.choice("b")))

    def test_prompts_may_share_responses(self):
        assert len(Episode((self.choice("a"),), (self.choice("b"),)).target) == 1

    def test_with_a_single_prompt_a_shared_response_is_refused(self):
        with pytest.raises(EpisodeError, match="share the response 'y'"):
            Episode((self.choice("a", "x", "y"),), (self.choice("a", "y", "z"),))
        assert Episode((self.choice("a", "x", "y"),), (self.choice("a", "v", "w"),))

    def test_numbers_are_responses_too(self):
        with pytest.raises(EpisodeError, match=r"share the response \(0.5,\)"):
            Episode((self.choice("", (0.5,), (0.1,)),), (self.choice("", (0.7,), (0.5,)),))

    def test_chats_are_compared_by_what_they_say(self):
        def chat(text: str) -> tuple[dict[str, str], ...]:
            return ({"role": "user", "content": text},)

        assert Episode((self.choice(chat("a")),), (self.choice(chat("b")),))
        with pytest.raises(EpisodeError, match="share the prompt"):
            Episode((self.choice(chat("a")), self.choice(chat("c"))), (self.choice(chat("a")),))
        with pytest.raises(EpisodeError, match="share the response"):
            Episode((self.choice("p", chat("a"), chat("b")),), (self.choice("p", chat("b"), chat("c")),))


def batch(places: list, width: int = 1) -> ChoiceBatch:
    """One user's choices, with features that number the options."""
    tensor = torch.tensor(places).unsqueeze(0)
    features = torch.arange(float(tensor.numel() * width)).reshape(*tensor.shape, width)
    return ChoiceBatch(features, tensor, torch.where((tensor >= 0).any(-1), 0, -1))


class TestChoiceBatch:
    def test_contrast_of_each_kind_of_outcome(self):
        choices = batch(
            [
                [0, 1, -1, -1],  # a pair
                [1, 0, 1, 1],  # a pick among four
                [2, 0, 1, -1],  # a full ranking of three: beats 0, 2, 1 and is beaten by 2, 0, 1
                [0, 1, 2, 2],  # two named of four: nets +3, +1, -2, -2
                [0, 0, 1, -1],  # two tied above one: nets +1, +1, -2
                [0, 0, -1, -1],  # all tied
                [-1, -1, -1, -1],
            ]
        )
        expected = [
            [1, -1, 0, 0],
            [-1 / 3, 1, -1 / 3, -1 / 3],
            [-1, 1, 0, 0],
            [3 / 4, 1 / 4, -1 / 2, -1 / 2],
            [1 / 2, 1 / 2, -1, 0],
            [0, 0, 0, 0],
            [0, 0, 0, 0],
        ]
        assert_close(choices.contrast()[0], torch.tensor(expected))

    @given(outcomes())
    def test_contrast_flips_with_the_outcome_and_sums_to_nothing(self, case):
        choices = batch([[*case[0].places(case[1]), -1]])
        assert_close(choices.reversed().contrast(), -choices.contrast())
        assert_close(choices.contrast().sum(), torch.tensor(0.0), atol=1e-6, rtol=0)

    def test_difference_is_the_options_weighed_by_contrast(self):
        """A pair, a pick among three, a complete tie and padding; what padding holds does not count."""
        choices = batch([[0, 1, -1], [1, 0, 1], [0, 0, -1], [-1, -1, -1]], width=2)
        options = choices.features[0]
        expected = torch.zeros(4, 2)
        expected[0] = options[0, 0] - options[0, 1]
        expected[1] = options[1, 1] - (options[1, 0] + options[1, 2]) / 2
        assert_close(choices.difference()[0], expected)
        nowhere = torch.where(choices.option_mask.unsqueeze(-1), choices.features, torch.nan)
        assert_close(replace(choices, features=nowhere).difference()[0], expected)

    def test_users_of_several_batches_stand_in_one_and_can_be_taken_out_again(self):
        first, second = batch([[0, 1], [1, 0]]), batch([[2, 0, 1]])
        both = ChoiceBatch.of_users([first, second])
        assert both.places.tolist() == [[[0, 1, -1], [1, 0, -1]], [[2, 0, 1], [-1, -1, -1]]]
        assert both.mask.tolist() == [[True, True], [True, False]]
        assert_close(both.of_user(0).features[:, :, :2], first.features)
        assert_close(both.of_user(1).features[:, :1], second.features)

    @given(outcomes())
    def test_reversed_agrees_with_a_choice_reversed_where_that_can_be_said(self, case):
        """The opposite of a partial ranking has no outcome: several are best, and the rest are ranked."""
        outcome, k = case
        places = outcome.places(k)
        reversed_row = batch([[*places, -1]]).reversed().places[0, 0].tolist()
        assert reversed_row == [*reversed_places(places), -1]
        if not (isinstance(outcome, Ranking) and len(outcome.order) < k):
            choice = Choice("ann", "Hi", tuple(map(str, range(k))), outcome).reversed()
            assert list(choice.outcome.places(k)) == reversed_row[:-1]

    def test_masks_say_what_is_there(self):
        choices = batch([[0, 1, -1], [-1, -1, -1]])
        assert choices.mask.tolist() == [[True, False]]
        assert choices.option_mask.tolist() == [[[True, True, False], [False] * 3]]

    def test_no_choice_at_all_is_a_batch(self):
        empty = ChoiceBatch(
            torch.zeros(2, 0, 2, 3), torch.zeros(2, 0, 2, dtype=torch.long), torch.zeros(2, 0)
        )
        assert empty.contrast().shape == empty.reversed().places.shape == (2, 0, 2)

    def test_to_moves_features_places_and_rows(self):
        moved = batch([[0, 1]]).to("meta")
        assert {part.device.type for part in (moved.features, moved.places, moved.rows)} == {"meta"}


class TestEpisodeBatch:
    def test_everything_is_context_and_target_padded_to_the_most_options(self):
        context, target = batch([[0, 1], [1, 0]], width=2), batch([[2, 0, 1]], width=2)
        episode = EpisodeBatch(torch.zeros(1), torch.zeros(1), context, target)
        everything = episode.everything
        assert everything.places.tolist() == [[[0, 1, -1], [1, 0, -1], [2, 0, 1]]]
        assert everything.features.shape == (1, 3, 3, 2)
        assert_close(everything.features[:, :2, :2], context.features)
        assert_close(everything.features[:, 2:], target.features)

    def test_a_wider_context_pads_the_target(self):
        context, target = batch([[2, 0, 1]]), batch([[0, 1]])
        assert EpisodeBatch(torch.zeros(1), torch.zeros(1), context, target).everything.places.tolist() == [
            [[2, 0, 1], [0, 1, -1]]
        ]


class TestBelief:
    def test_beliefs_of_several_batches_keep_their_memories(self):
        first, second = batch([[0, 1], [1, 0]]), batch([[1, 0]])
        parts = [Belief(torch.full((1, 2), i), torch.ones(1, 2), m) for i, m in ((1.0, first), (2.0, second))]
        both = Belief.of_users(parts)
        assert both.mean.tolist() == [[1, 1], [2, 2]]
        assert both.of_user(0).memory.places.tolist() == first.places.tolist()
        assert both.of_user(1).memory.places.tolist() == [[[1, 0], [-1, -1]]]

    def test_beliefs_without_memory_stay_without(self):
        both = Belief.of_users([Belief.point(torch.ones(2, 3)), Belief.point(torch.zeros(1, 3))])
        assert both.mean.sum(1).tolist() == [3, 3, 0]
        assert both.memory is both.of_user(1).memory is None

    def beliefs(self) -> tuple[Belief, Belief]:
        torch.manual_seed(0)
        a, b = (Belief(torch.randn(5, 3), torch.rand(5, 3) + 0.1) for _ in range(2))
        return a, b

    def test_kl_agrees_with_torch_distributions(self):
        a, b = self.beliefs()
        expected = kl_divergence(*(Independent(Normal(x.mean, x.std), 1) for x in (a, b)))
        assert_close(a.kl_to(b), expected)

    def test_kl_by_hand(self):
        # log(2 / 1) + (1 + 3^2) / (2 * 4) - 1/2
        a, b = (
            Belief(torch.tensor([[mean]]), torch.tensor([[std]])) for mean, std in ((3.0, 1.0), (0.0, 2.0))
        )
        assert_close(a.kl_to(b), torch.tensor([math.log(2) + 10 / 8 - 0.5]))
        assert_close(a.kl_to(a), torch.zeros(1))

    def test_kl_from_or_to_a_point_is_refused(self):
        spread, _ = self.beliefs()
        for one, other in itertools.permutations([spread, Belief.point(spread.mean)]):
            with pytest.raises(ConfigError, match="point belief"):
                one.kl_to(other)

    def test_samples_have_the_mean_and_the_spread(self):
        belief = Belief(torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, 3.0]]))
        samples = belief.sample(torch.randn(100_000, 1, 2, generator=torch.Generator().manual_seed(0)))
        assert samples.shape == (100_000, 1, 2)
        assert_close(samples.mean(0), belief.mean, atol=0.04, rtol=0)  # 4 standard errors of the wider
        assert_close(samples.std(0), belief.std, rtol=0.01, atol=0)

    def test_a_point_is_sampled_as_itself(self):
        point = Belief.point(torch.randn(2, 3))
        assert_close(point.sample(torch.randn(4, 2, 3)), point.mean.expand(4, 2, 3))

    def test_the_noise_decides_the_sample_and_gradients_pass_it(self):
        mean, std = torch.zeros(1, 2, requires_grad=True), torch.ones(1, 2, requires_grad=True)
        noise = torch.tensor([[[1.0, 2.0]], [[3.0, -5.0]], [[0.0, 1.0]]])
        sample = Belief(mean, std).sample(noise)
        assert_close(sample.detach(), noise)  # with mean 0 and std 1 a sample is its noise
        sample.sum().backward()
        assert_close(mean.grad, torch.full((1, 2), 3.0))
        assert_close(std.grad, torch.tensor([[4.0, -2.0]]))

    def test_mean_and_std_of_other_shapes_are_refused(self):
        with pytest.raises(ShapeError, match=r"mean \[2, 3\] but std \[2, 1\]"):
            Belief(torch.zeros(2, 3), torch.zeros(2, 1))
