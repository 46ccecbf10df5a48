import numpy as np

import eval.page as recipe
from eval.page import composed, page
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


def test_a_model_that_is_there_is_served_and_the_demos_is_trained_first(tmp_path, monkeypatch, capsys):
    done = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recipe, "train", lambda folder: (folder.mkdir(parents=True), done.append("trained")))
    monkeypatch.setattr(recipe, "run", done.append)
    page(port=8123)
    page(policy="runs/p")
    page("starter")
    assert [each if isinstance(each, str) else each.model for each in done] == [
        "trained",
        "runs/demo",
        "runs/demo",
        "starter",
    ]
    assert done[2].policy == "runs/p"
    assert done[1].is_loopback
    assert done[1].store_url == f"sqlite:///{tmp_path}/runs/page/people.db"
    assert read_candidates(done[1].candidates)
    assert "http://127.0.0.1:8123/" in capsys.readouterr().out
