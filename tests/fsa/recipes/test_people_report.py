"""Verdicts from made-up predictions."""

import numpy as np
import pytest

from fsa.errors import ConfigError
from fsa.recipes.measuring.predictions import Predictions
from fsa.recipes.people_report import PERSONAL, POOLED, people_report
from fsa.reports.intervals import EXCESS


def predicted(correct: np.ndarray, people: int, num_groups: int = 1) -> Predictions:
    """Twenty predictions a person, each of a prompt of its own."""
    n = 20 * people
    user = np.repeat(np.arange(people), 20)
    nothing = np.full(n, np.nan)
    return Predictions(
        row=np.arange(n),
        user=user,
        prompt=np.arange(n),
        group=user % num_groups,
        correct=correct.astype(float),
        nll=np.where(correct, 0.5, 1.0),
        confidence=np.full(n, 0.75),
        flip_correct=nothing,
        bayes_correct=nothing,
    )


def right(people: int, share: float) -> np.ndarray:
    """This share of each person's twenty is right."""
    return np.tile(np.arange(20) < round(20 * share), people)


def report(ours: float, pooled: float, people: int = 50, num_groups: int = 1):
    personal = {0: predicted(right(people, pooled), people, num_groups)}
    personal[10] = predicted(right(people, ours), people, num_groups)
    groups = [f"g{i}" for i in range(num_groups)]
    return people_report(personal, predicted(right(people, pooled), people, num_groups), groups, "made up")


def test_a_gain_whose_interval_is_above_0_is_a_difference_between_people():
    rows, verdict = report(ours=0.8, pooled=0.6)  # everyone gains 4 of 20: the interval is a point
    assert (verdict.kind, verdict.is_personal) == ("differ", True)
    assert verdict.text.startswith("after 10 choices 80.0 % [")
    assert "one model for everybody has 60.0: +20.0 [" in verdict.text
    assert verdict.text.endswith("points, 50 people")
    (gain,) = [row for row in rows if row.metric == "gain_in_accuracy" and row.context_size == 10]
    assert gain.value == pytest.approx(0.2)
    assert (gain.n, gain.slice) == (1000, {"texts": "known"})


def test_how_far_probabilities_are_off_stands_beside_the_gain():
    rows, _ = report(ours=0.9, pooled=0.75)  # all are 75 % sure
    value = {
        (row.method, row.metric): row.value for row in rows if row.context_size == 10 and row.group == "all"
    }
    assert value[PERSONAL, "ece"] == pytest.approx(0.15)
    assert value[POOLED, "ece"] == pytest.approx(0, abs=1e-12)
    # 1,000 equal predictions by a calibrated model are off by about sqrt(2 / pi * .75 * .25 / 1000).
    assert value[PERSONAL, EXCESS] == pytest.approx(0.15 - 0.011, abs=0.006)
    assert value[POOLED, EXCESS] == pytest.approx(-0.011, abs=0.006)


def test_no_gain_to_speak_of_keeps_one_model_for_everybody():
    _, verdict = report(ours=0.7, pooled=0.7)
    assert (verdict.kind, verdict.is_personal) == ("alike", False)
    assert verdict.text == (
        "these people hardly differ: +0.0 [0.0, 0.0] points after 10 choices, 50 people; "
        "the saved model answers as one model for everybody"
    )


def test_harm_keeps_one_model_for_everybody_too():
    _, verdict = report(ours=0.6, pooled=0.7)
    assert not verdict.is_personal


def test_an_interval_that_holds_both_is_unclear():
    people = 30
    rng = np.random.default_rng(0)
    ours, pooled = (predicted(rng.random(20 * people) < 0.7, people) for _ in range(2))
    # Ten of thirty people gain everything, nine lose everything.
    ours.correct[:200], pooled.correct[:200] = 1, 0
    ours.correct[200:380], pooled.correct[200:380] = 0, 1
    _, verdict = people_report({10: ours}, pooled, [""], "made up")
    assert (verdict.kind, verdict.is_personal) == ("unclear", False)
    assert "more people would tell" in verdict.text


def test_too_few_people_tell_nothing_however_large_the_gain():
    _, verdict = report(ours=1.0, pooled=0.5, people=12)
    assert (verdict.kind, verdict.is_personal) == ("few", False)
    assert verdict.text.startswith("too few people to tell: 12")


def test_groups_and_the_worst_of_them_stand_beside_the_mean():
    people = 60
    ours, pooled = predicted(right(people, 0.9), people, 2), predicted(right(people, 0.5), people, 2)
    ours.correct[ours.group == 1] -= 0.3
    rows, verdict = people_report({5: ours}, pooled, ["north", "south"], "made up")
    values = {(row.method, row.group): row.value for row in rows if row.metric == "accuracy"}
    assert values[PERSONAL, "south"] == values[PERSONAL, "worst"] == pytest.approx(0.6)
    assert values[POOLED, "all"] == pytest.approx(0.5)
    assert verdict.text.endswith("; worst group south: 60.0 against 50.0 %")


def test_models_that_predict_other_choices_are_refused():
    ours, pooled = predicted(right(30, 0.5), 30), predicted(right(30, 0.5), 30)
    pooled.row[:2] = pooled.row[1::-1]
    with pytest.raises(ConfigError, match="predict other choices, or in another order, at 3 choices seen"):
        people_report({3: ours}, pooled, [""], "made up")
