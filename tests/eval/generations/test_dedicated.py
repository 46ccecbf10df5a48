import numpy as np
import pytest

from eval.generations.answers import AnswerWriter, Writing
from eval.generations.dedicated import NAME, SHARE, cells_of
from eval.generations.people import HeldOutPanel
from eval.generations.steering import GeneratedAnswers
from tests.eval.generations.test_rivals import PROMPT, Words, subject


class Wordy:
    """A policy that always says six words, to nobody in particular."""

    def for_users(self, contexts):
        return [None for _ in contexts]

    def generate(self, people, prompts, **options):
        return ["word " * 6 for _ in prompts]


def grid(*counts: int) -> np.ndarray:
    return np.array([["word " * count] for count in counts], object)[:, :, None]


def test_the_share_is_of_the_movement_from_the_reference_over_all_people_of_a_group():
    field = HeldOutPanel((subject(0, "long"), subject(1, "long")), (PROMPT,), False)
    written = GeneratedAnswers(grid(2), grid(2), {8: grid(5, 3)}, grid(2, 2))
    found = {
        (whose, one.metric): one
        for whose, one in cells_of(AnswerWriter(Wordy(), Writing()), written, field, Words())
    }
    # The dedicated policy goes from 2 words to 6 for both, the steered one to 5 and to 3: (3 + 1) / (4 + 4).
    assert found[NAME, "movement"].value.tolist() == [4, 4]
    assert found[NAME, "against_reference_win_rate"].value.tolist() == [1, 1]
    assert found["", SHARE].interval().value == pytest.approx(0.5)
