"""What a question costs is measured, and beside its limit."""

from eval.bench.asking import question_speed


def test_both_figures_are_there_with_their_limits():
    found = {figure.metric: figure for figure in question_speed(pairs=50, repetitions=2)}
    assert set(found) == {"question_ms", "update_ms"}
    assert found["question_ms"].limit == "at most 100"
    assert found["update_ms"].limit == "at most 5"
    assert all(len(figure.values) == 2 and figure.value > 0 for figure in found.values())
