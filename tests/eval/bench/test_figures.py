from eval.bench.figures import Figure, as_table


def test_a_figure_is_the_median_and_a_limit_is_kept_by_what_equals_it():
    assert Figure("m", "words", [3.0, 1.0, 2.0]).value == 2
    assert Figure("m", "words", [2.0], at_least=2).is_kept
    assert Figure("m", "words", [2.0], at_most=2).is_kept
    assert not Figure("m", "words", [1.9], at_least=2).is_kept
    assert not Figure("m", "words", [2.1], at_most=2).is_kept
    assert Figure("m", "words", [1e9]).is_kept
    assert as_table([Figure("m", "words", [1.0], at_most=2), Figure("n", "words", [1.0, 2.0])]).row_count == 2
