import torch
from torch.testing import assert_close

from fsa.encoders.deep_set import DeepSet
from fsa.encoders.encoder import better_and_worse
from tests.factories.places import batch


def test_better_and_worse_are_means_weighed_by_contrast():
    """A pick among three: the chosen, and the mean of the other two; a tie and padding give zeros."""
    choices = batch([[1, 0, 1], [0, 0, -1], [-1, -1, -1]], width=2)
    better, worse = better_and_worse(choices)
    options = choices.features[0, 0]
    assert_close(better[0], torch.stack([options[1], torch.zeros(2), torch.zeros(2)]))
    assert_close(worse[0], torch.stack([(options[0] + options[2]) / 2, torch.zeros(2), torch.zeros(2)]))
    assert_close(better - worse, choices.difference())


def test_weights_have_no_prior_unless_an_encoder_says_so():
    assert DeepSet(2, 3).prior() == 0.0
