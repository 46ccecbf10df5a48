"""The bench at a tiny size, and its figures by name."""

from eval.bench.figures import Figure
from eval.bench.policy_data import Sizes

TINY = Sizes(
    vocabulary=600,
    width=32,
    layers=2,
    heads=2,
    shorter=16,
    max_tokens=40,
    pairs=2,
    users=4,
    choices_per_user=6,
)


def values_of(figures: list[Figure]) -> dict[str, float]:
    """Value of each figure; no name comes twice."""
    assert len({figure.metric for figure in figures}) == len(figures)
    return {figure.metric: figure.value for figure in figures}
