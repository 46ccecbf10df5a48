import itertools
import re

import numpy as np
import pytest

from fsa.choices.sandbox import ATTRIBUTES
from fsa.choices.sandbox_text.composing import ask, compose
from fsa.choices.sandbox_text.topics import QUESTIONS, SITUATIONS, TASKS
from fsa.errors import ConfigError
from tests.factories.sandbox_corpus import sandbox_corpus


def test_same_seed_and_index_give_the_same_text_whatever_came_before():
    whole = list(sandbox_corpus(20, seed=3))
    assert list(sandbox_corpus(5, seed=3, start=15)) == whole[15:]
    assert list(sandbox_corpus(20, seed=4)) != whole
    assert compose(2, (1, 1, 1, 1, 1), 0, 7) == compose(2, (1, 1, 1, 1, 1), 0, 7)


@pytest.mark.parametrize("levels", [(1, 1, 1, 1), (1, 1, 1, 1, 0)])
def test_levels_that_do_not_exist_are_refused(levels):
    with pytest.raises(ConfigError, match="levels must be"):
        compose(0, levels, 0, 0)


def test_no_placeholder_is_left_and_all_text_is_clean(corpus):
    prompts, responses, _ = corpus
    every_prompt = [
        ask(*way)
        for way in itertools.product(range(len(TASKS)), range(len(QUESTIONS)), range(len(SITUATIONS)))
    ]
    assert len(set(every_prompt)) == len(every_prompt)
    for text in [*every_prompt, *prompts, *responses]:
        assert not set("{}") & set(text)
        assert "  " not in text
        assert text == text.strip()
        assert text[-1] in ".!?"


def test_length_tells_nothing_of_the_other_attributes(corpus):
    _, responses, levels = corpus
    words = np.array([len(re.findall(r"[A-Za-z][\w']*", text)) for text in responses])
    letters = np.array([len(text) for text in responses])
    for length in (-1, 1):
        of_length = levels[:, 0] == length
        for attribute in range(1, len(ATTRIBUTES)):
            low, high = (of_length & (levels[:, attribute] == pole) for pole in (-1, 1))
            assert words[high].mean() / words[low].mean() == pytest.approx(1, abs=0.03)
            assert letters[high].mean() / letters[low].mean() == pytest.approx(1, abs=0.04)
    assert words[levels[:, 0] < 0].max() < words[levels[:, 0] > 0].min()
    assert words.min() >= 15
    assert words.max() <= 90
