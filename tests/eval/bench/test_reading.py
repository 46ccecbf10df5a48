"""The bench of reading, small."""

import json

from eval.bench.reading import _lines, reading_speed


def test_one_figure_a_repetition_with_the_limit_of_a_third():
    (figure,) = reading_speed(num_choices=200, repetitions=2)
    assert len(figure.values) == 2
    assert min(figure.values) > 0
    assert figure.limit == "at least 0.333333"


def test_lines_are_choices_between_two_texts_that_differ():
    records = [json.loads(line) for line in _lines(100)]
    assert len(records) == 100
    assert all(len(set(record["options"])) == 2 for record in records)
    assert len({record["user"] for record in records}) == 10
