import itertools

from fsa.choices.sandbox_text.topics import ADVICE, QUESTIONS, TASKS
from fsa.choices.sandbox_text.wordings import BULLETS, CLOSERS, FRAMES, GREETINGS, LEAD_INS, SIZES


def test_there_is_enough_to_say():
    assert len(TASKS) >= 48
    assert all(len(set(advice)) >= 7 for advice in ADVICE)
    assert len(QUESTIONS) >= 4
    for table in (GREETINGS, LEAD_INS, SIZES, FRAMES, CLOSERS):
        assert set(table) == set(itertools.product((-1, 1), repeat=2))
        assert all(len(set(wordings)) == len(wordings) >= 4 for wordings in table.values())
    assert len(BULLETS) >= 4
