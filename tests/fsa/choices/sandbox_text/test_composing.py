import pytest

from fsa.choices.sandbox_text.composing import compose
from fsa.choices.sandbox_text.corpus import sandbox_corpus
from fsa.errors import ConfigError


def test_same_seed_and_index_give_the_same_text_whatever_came_before():
    whole = list(sandbox_corpus(20, seed=3))
    assert list(sandbox_corpus(5, seed=3, start=15)) == whole[15:]
    assert list(sandbox_corpus(20, seed=4)) != whole
    assert compose(2, (1, 1, 1, 1, 1), 0, 7) == compose(2, (1, 1, 1, 1, 1), 0, 7)


@pytest.mark.parametrize("levels", [(1, 1, 1, 1), (1, 1, 1, 1, 0)])
def test_levels_that_do_not_exist_are_refused(levels):
    with pytest.raises(ConfigError, match="levels must be"):
        compose(0, levels, 0, 0)
