"""Any pair, each as often as the others."""

from collections import Counter

import torch

from fsa.questions.question import best_question
from fsa.questions.random_pair import RandomPair


def test_every_pair_is_taken_about_equally_often():
    pairs, first, weight = [("", str(i), "x") for i in range(4)], torch.full((1, 4), 0.5), torch.ones(1)
    taken = Counter(best_question(pairs, first, weight, RandomPair(seed)).index for seed in range(400))
    # 100 expected of each, with a standard deviation of 8.7.
    assert all(65 <= taken[place] <= 135 for place in range(4))


def test_its_worth_is_no_nats():
    question = best_question([("", "a", "b")], torch.full((1, 1), 0.25), torch.ones(1), RandomPair())
    assert question.nats is None
    assert question.why == "taken at random; the first option is picked with a probability of 25%"
