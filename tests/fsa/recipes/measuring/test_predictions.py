"""Predictions of whole episodes agree with asking the model choice by choice."""

import numpy as np
import pytest

from fsa import RewardModel
from fsa.choices.splits import Splitter
from fsa.choices.synthetic import Synthetic
from fsa.episodes.sampler import EpisodeSampler
from fsa.features.numeric import Numeric
from fsa.metrics.choice_accuracy import correctness
from fsa.outputs.item_features import ItemFeatures
from fsa.recipes.measuring import predictions
from fsa.recipes.measuring.bayes import BayesPredictor
from fsa.recipes.measuring.predictions import Predictions, predict

SOURCE = Synthetic(num_users=100, choices_per_user=15)


@pytest.fixture(scope="module")
def rewards(synthetic_run):
    return RewardModel.from_pretrained(synthetic_run)


@pytest.fixture(scope="module")
def setting(rewards):
    """A table, its features, and 700 episodes of its test users (more than are predicted at once)."""
    table = Splitter(by="record")(SOURCE.load()).test
    features = ItemFeatures(table, Numeric()).project(rewards.projection)
    return table, features, EpisodeSampler(table, 4, 3, seed=2, in_turn=True).draw(np.arange(700))


def test_a_row_is_what_the_person_would_be_asked(rewards, setting):
    table, features, episodes = setting
    found = predict(rewards, table, features, episodes)
    row = 0
    for context, target in zip(episodes.context[:5], episodes.target[:5], strict=True):
        seen = [table.choice(int(i)) for i in context if i >= 0]
        for number in target[target >= 0]:
            choice = table.choice(int(number))
            p = rewards.for_user(seen).prefers("", *choice.options)
            best = np.array([[p, 1 - p]])
            places = np.array([choice.outcome.places(2)])
            assert found.correct[row] == correctness(best, places)[0]
            assert found.nll[row] == pytest.approx(-np.log(best[places == 0][0]), abs=1e-6)
            assert found.confidence[row] == pytest.approx(max(p, 1 - p), abs=1e-6)
            turned = rewards.for_user([c.reversed() for c in seen]).prefers("", *choice.options)
            assert found.flip_correct[row] == correctness(np.array([[turned, 1 - turned]]), places)[0]
            assert (found.user[row], found.group[row]) == (table.user[number], table.group[number])
            row += 1
    assert row == 15


def test_bayes_is_what_the_truth_predicts(rewards, setting):
    table, features, episodes = setting
    truth = SOURCE.truth(SOURCE.load())
    found = predict(rewards, table, features, episodes, truth)
    exists = episodes.target >= 0
    best = BayesPredictor(truth, table).predict(episodes.context, episodes.target)[exists]
    places = table.place[table.option_offsets[episodes.target[exists]][:, None] + np.arange(2)]
    np.testing.assert_array_equal(found.bayes_correct, correctness(best, places))
    assert np.isnan(predict(rewards, table, features, episodes).bayes_correct).all()


def test_every_target_is_one_row_whatever_the_context(rewards, setting):
    table, features, episodes = setting
    known = [predict(rewards, table, features, episodes.with_context(size)) for size in (0, 2, 4)]
    assert (episodes.target >= 0).sum() == len(known[0].user) == 2100
    for one in known[1:]:
        np.testing.assert_array_equal(one.prompt, known[0].prompt)
        np.testing.assert_array_equal(one.user, known[0].user)
    assert (known[0].nll != known[2].nll).any()
    # Nothing seen, nothing to reverse.
    np.testing.assert_array_equal(known[0].correct, known[0].flip_correct)


def test_rows_are_kept_and_put_together(rewards, setting):
    table, features, episodes = setting
    whole = predict(rewards, table, features, episodes)
    halves = [whole.where(whole.group == group) for group in (0, 1)]
    assert len(halves[0].user) == len(halves[1].user) == len(whole.user) / 2
    again = Predictions.concatenate(halves)
    assert again.correct.sum() == whole.correct.sum()


def test_without_flips_all_else_is_the_same(rewards, setting):
    table, features, episodes = setting
    whole, half = (predict(rewards, table, features, episodes, flip=flip) for flip in (True, False))
    assert np.isnan(half.flip_correct).all()
    assert not np.isnan(whole.flip_correct).any()
    for name in ("row", "user", "prompt", "group", "correct", "nll", "confidence"):
        np.testing.assert_array_equal(getattr(half, name), getattr(whole, name))


def test_somebody_unknown_is_read_once_as_no_choice_reversed_is_no_choice(rewards, setting, monkeypatch):
    table, features, _ = setting
    episodes = EpisodeSampler(table, 0, 3, seed=2, in_turn=True).draw(np.arange(20))
    asked, given = [], predictions._given
    monkeypatch.setattr(predictions, "_given", lambda *on: asked.append(on) or given(*on))
    found = predict(rewards, table, features, episodes)
    assert len(asked) == 1
    np.testing.assert_array_equal(found.flip_correct, found.correct)
