import numpy as np
from numpy.testing import assert_allclose

from eval.generations import continuum as continuum
from eval.generations.answers import AnswerWriter, Writing
from eval.generations.grid import joined
from eval.generations.raters import SandboxRater
from tests.factories.stand_in_policy import StandIn, cells


def test_a_mixture_has_so_many_choices_of_each(field):
    low, high = field.of("concise").subjects[0], field.of("long").subjects[0]
    for share, of_high in ((0, 0), (0.25, 2), (0.5, 4), (0.75, 6), (1, 8)):
        mixed = continuum.mixture(low, high, 8, share)
        assert [choice.user for choice in mixed].count(high.name) == of_high
        assert len(mixed) == 8


def test_opposite_people_stand_in_pairs(field):
    pairs = continuum.pairs_of(field)
    assert list(pairs) == ["length", "tone"]  # the other attributes have nobody
    assert all((low.group, high.group) == ("plain", "cheerful") for low, high in pairs["tone"])
    assert len(pairs["tone"]) == 4


def test_the_continuum_rises_from_one_pole_to_the_other(sandbox, field, tmp_path):
    found = joined(continuum.cells_of(AnswerWriter(StandIn(), Writing()), field, SandboxRater(sandbox), 8, 0))
    made = continuum.curves(found)
    assert {(curve.attribute, curve.mixed) for curve in made} == {
        (name, mixed) for name in ("length", "tone") for mixed in ("choices", "beliefs")
    }
    for curve in made:
        values = [point.value for point in curve.levels]
        assert values[0] < -0.7 and values[-1] > 0.7  # noqa: PT018
        assert values == sorted(values)
        assert_allclose(curve.step.value, np.diff(values).min())
        assert curve.is_monotone == (np.diff(values) > 0).all()
    ends = {curve.mixed: curve.levels[0].value for curve in made if curve.attribute == "tone"}
    assert ends["choices"] == ends["beliefs"]  # no mixture at the ends
    continuum.plot({"stand-in": made}, tmp_path / "continuum.png")
    assert (tmp_path / "continuum.png").stat().st_size > 10_000
    groups = {row.group for row in continuum.rows_of(found, "d", "m")}
    assert {"plain to cheerful, 0.25 of the way", "plain to cheerful, mixed choices"} <= groups


def test_a_curve_that_falls_somewhere_is_not_monotone():
    levels = dict(zip(continuum.SHARES, ([-1, -1], [0, 0], [-0.5, 0.3], [0.5, 0.5], [1, 1]), strict=True))
    metric = continuum.MIXED["choices"]
    parts = [cells(metric, value, [continuum.group_of("tone", share)] * 2) for share, value in levels.items()]
    (curve,) = continuum.curves(parts)
    assert_allclose(curve.step.value, -0.1)
    assert not curve.is_monotone
