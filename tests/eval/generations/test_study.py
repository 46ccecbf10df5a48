"""Each run is asked once; the first run of a method leaves its answers side by side."""

from types import SimpleNamespace

from rich.console import Console

from eval.generations import study
from fsa.recipes.measuring.runs import Method


def test_the_first_run_of_each_method_leaves_a_page_and_rows_come_from_all(tmp_path, monkeypatch):
    asked = []

    def one(path, rival, plan, method, number, data, is_first, folder):
        asked.append((path.name, method, number, is_first))
        return [], [], f"answers of {path.name}", [f"row of {path.name}"]

    monkeypatch.setattr(study, "_one_training", one)
    monkeypatch.setattr(study, "_rows", lambda *_: [])
    plan = SimpleNamespace(console=Console(quiet=True), field=None)
    methods = [Method("NP-DPO", [tmp_path / "a", tmp_path / "b"]), Method("DPO", [tmp_path / "c"])]
    rows, curves = study.all_rows(methods, None, plan, "own", tmp_path)
    assert asked == [("a", "NP-DPO", 0, True), ("b", "NP-DPO", 1, False), ("c", "DPO", 0, False)]
    assert rows == ["row of a", "row of b", "row of c"]
    assert curves == {}
    pages = {path.name: path.read_text() for path in tmp_path.glob("*.md")}
    assert len(pages) == 2
    assert sorted(pages.values()) == ["answers of a", "answers of c"]
    study.all_rows(methods[1:], None, plan, "own", tmp_path)
    assert (tmp_path / "side_by_side.md").read_text() == "answers of c"
