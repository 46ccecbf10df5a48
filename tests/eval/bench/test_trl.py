import pytest

from eval.bench.policy_data import TABLE
from eval.bench.trl import pairs_of
from fsa.choices.table import ChoiceTable
from tests.fsa.conftest import own_cache

__all__ = ["own_cache"]


pytestmark = pytest.mark.usefixtures("own_cache")


def test_a_pair_is_a_choice_with_the_blank_line_that_ours_put_in(folder):
    table = ChoiceTable.open(folder[0] / TABLE)
    (pair,) = pairs_of(table, [3])
    choice = table.choice(3)
    assert pair["prompt"] == f"{choice.prompt}\n\n"
    assert pair["chosen"] == choice.options[choice.outcome.places(2).index(0)]
    assert pair["rejected"] == choice.options[choice.outcome.places(2).index(1)]
