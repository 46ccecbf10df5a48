import pytest
import torch

from fsa.errors import ConfigError
from fsa.models.bilinear import Bilinear
from fsa.types import Belief
from tests.factories.places import batch


def test_a_belief_that_keeps_no_choices_is_refused_by_whoever_reads_them():
    with pytest.raises(
        ConfigError, match="Bilinear reads the user's choices themselves, but the encoder keeps none"
    ):
        Bilinear(1, 2).remembered(Belief.point(torch.zeros(1, 2)))
    kept = batch([[0, 1]])
    assert Bilinear(1, 2).remembered(Belief(torch.zeros(1, 2), torch.ones(1, 2), kept)) is kept


def test_a_scorer_shares_and_remembers_nothing_unless_it_says_so():
    scorer = Bilinear(1, 2)
    scorer.bind(torch.nn.Linear(1, 1))
    scorer.resize_buffers({})
    scorer.fit_training_users([])
    assert (scorer.population_part(), scorer.prior()) == (None, 0.0)
