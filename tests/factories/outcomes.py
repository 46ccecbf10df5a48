"""Outcomes for hypothesis to draw."""

from hypothesis import strategies as st

from fsa.types import Pick, Ranking, Tie


@st.composite
def outcomes(draw):
    """An outcome over k options, in the one form that says it (a ranking of a pair is a pick)."""
    k = draw(st.integers(2, 6))
    order = draw(st.permutations(range(k)))
    kind = draw(st.sampled_from(["pick", "tie", "ranking"]))
    if kind == "pick" or (kind == "ranking" and k == 2):
        return Pick(order[0]), k
    if kind == "tie":
        return Tie(tuple(sorted(order[: draw(st.integers(2, k))]))), k
    named = draw(st.integers(2, k))
    return Ranking(tuple(order[: k if named == k - 1 else named])), k  # all but one is all
