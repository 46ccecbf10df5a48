import numpy as np

from eval.page.composed import composed
from fsa.outputs.candidates import read_candidates
from tests.factories.lines import jsonl


def test_candidates_differ_in_style_and_say_how_much_of_what_they_have(tmp_path):
    groups = read_candidates(jsonl(tmp_path / "c.jsonl", composed(4, 6)))
    assert [len(group.responses) for group in groups] == [6] * 4
    for group in groups:
        assert list(group.levels) == ["length", "cheer", "formality", "lists", "hedging"]
        styles = np.sign(np.array(list(group.levels.values())))
        assert len(np.unique(styles, axis=1).T) == 6
    assert list(composed(4)) == list(composed(4))
