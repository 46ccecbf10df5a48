from numpy.testing import assert_allclose

from eval.generations.grid import joined, rows_of
from tests.factories.stand_in_policy import cells


def test_a_ratio_is_sum_over_sum_within_each_training():
    # 6 nats in 4 tokens, then 2 nats in 4 tokens: 1.5 and 0.5 a token, 1 in the mean of trainings.
    first = cells("kl_per_token", [4, 2], ["a", "a"], weight=[1, 3])
    second = cells("kl_per_token", [1, 1], ["a", "a"], weight=[2, 2], seed=1)
    (together,) = joined([first, second])
    found = together.interval()
    assert_allclose(found.value, 1.0)
    assert found.seeds == 2
    assert_allclose(first.interval().value, 1.5)


def test_the_worst_group_is_the_lowest_in_movement_and_the_highest_in_distance():
    for metric, worst in (("movement", 1.0), ("kl_per_token", 3.0), ("reversed_movement", 3.0)):
        rows = list(rows_of(cells(metric, [1, 1, 3], ["a", "a", "b"]), "d", "m", ["a", "b"], False))
        assert [(row.group, row.value) for row in rows[1:]] == [("a", 1.0), ("b", 3.0), ("worst", worst)]
        assert_allclose(rows[0].value, 5 / 3)
        assert rows[0].group == "all"


def test_groups_alone_are_no_all():
    rows = list(rows_of(cells("movement", [1], ["a"]), "d", "m", ["a", "b"], False))
    assert [row.group for row in rows] == ["a"]
