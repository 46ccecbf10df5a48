from dataclasses import replace

import torch
from hypothesis import given
from torch.testing import assert_close

from fsa.batches import ChoiceBatch, EpisodeBatch
from fsa.types import Choice, Ranking, reversed_places
from tests.factories.outcomes import outcomes
from tests.factories.places import batch


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
