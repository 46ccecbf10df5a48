import itertools
import re

import numpy as np
import pytest

from fsa.choices.sandbox import ATTRIBUTES
from fsa.choices.sandbox_text.composing import ask
from fsa.choices.sandbox_text.topics import QUESTIONS, SITUATIONS, TASKS


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
