"""Targets inferred from choices, beside NP-BTL: the parts that need no training."""

import numpy as np

from eval.steerable_choices import _ahead, _credit, _Likelihoods, _posterior
from fsa.judge.infer import infer_target, prior
from fsa.judge.scores import AttributeScores


def test_the_shared_likelihoods_give_what_infer_target_gives() -> None:
    generator = np.random.default_rng(0)
    scores = [AttributeScores(("a", "b"), generator.random((2, 2))) for _ in range(6)]
    scores.append(scores[2])  # the same pair again, by another person
    chosen, context = generator.integers(0, 2, 7), np.array([0, 3, 6])
    start = prior(("a", "b"))
    likelihoods = _Likelihoods.of(scores, start)
    found = _posterior(start, likelihoods, context, chosen)
    wanted = infer_target([int(chosen[row]) for row in context], [scores[row] for row in context])
    np.testing.assert_allclose(found.probability, wanted.probability, rtol=1e-5)
    ahead = _ahead(found, likelihoods, np.array([1, 4]))
    first = [wanted.choice_probabilities(scores[row])[0] for row in (1, 4)]
    np.testing.assert_allclose(ahead, np.array(first) - 0.5, atol=1e-6)


def test_credit_is_half_where_nothing_is_ahead() -> None:
    np.testing.assert_array_equal(_credit(np.array([0.2, -0.2, 0.0]), np.array([0, 0, 1])), [1, 0, 0.5])
