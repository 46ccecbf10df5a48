import eval.page.__main__ as recipe
from eval.page.__main__ import page
from fsa.outputs.candidates import read_candidates


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
