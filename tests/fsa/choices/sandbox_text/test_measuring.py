import itertools
import re

import numpy as np
import pytest

from fsa.choices.sandbox import ATTRIBUTES
from fsa.choices.sandbox_text.measuring import measure
from fsa.choices.sandbox_text.topics import ADVICE


def test_advice_holds_no_style_of_its_own():
    for piece in itertools.chain.from_iterable(ADVICE):
        measured = measure(piece)
        assert measured["tone"] == measured["structure"] == measured["hedging"] == -1, piece
        assert measured["formality"] == 0, piece
        assert re.fullmatch(r"[a-z][\w ,-]*\w", piece), piece


def test_measures_agree_with_the_style_that_was_set_and_with_no_other(corpus):
    _, responses, levels = corpus
    measured = np.stack([measure(responses)[name] for name in ATTRIBUTES], 1)
    assert ((np.sign(measured) == levels).mean(0) > 0.97).all()
    correlation = np.corrcoef(measured.T, levels.T)[: len(ATTRIBUTES), len(ATTRIBUTES) :]
    assert (correlation.diagonal() > 0.9).all()
    # 4,000 texts: independent columns correlate by 0.016 or so (one standard deviation).
    assert np.abs(correlation - np.diag(correlation.diagonal())).max() < 0.07


def test_measures_read_text_that_was_not_composed():
    listy = measure("Steps:\n- You gotta boil it!\n- Maybe stir, it's fun!")
    prose = measure("One should boil the water. It is essential to stir.")
    assert listy["structure"] == 1
    assert prose["structure"] == -1
    assert listy["tone"] == 1
    assert prose["tone"] == -1
    assert listy["formality"] == -1  # gotta, it's
    assert prose["formality"] == 1  # one should, essential
    assert listy["hedging"] == pytest.approx(4 / 3 - 1)  # one of three sentences, and a half is full
    assert set(measure("")) == set(ATTRIBUTES)
