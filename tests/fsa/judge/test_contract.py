"""Promises of every judge; members are found by walking the folder, and made by their own tests."""

import numpy as np
import pytest

import fsa.judge
from fsa.judge.judge import Cost, Judge
from tests.factories.family import example, members
from tests.factories.labelled import made_up

MEMBERS = members(fsa.judge, Judge)
PROBES = [each.probe for each in made_up(6, responses=3, seed=5)]


def test_the_members_are_found():
    assert set(MEMBERS) >= {"ComparativeJudge", "PlainJudge", "RandomJudge", "RegressorJudge", "RewardJudge"}


@pytest.fixture(params=MEMBERS)
def judge(request) -> Judge:
    """One that has learned from made-up labels, of the attributes "long" and "short"."""
    made = example(MEMBERS[request.param])()
    made.learn(made_up(30))
    return made


def test_scores_are_fractions_or_missing_one_row_a_response(judge):
    for probe, scores in zip(PROBES, judge.score(PROBES), strict=True):
        assert scores.attributes == judge.attributes != ()
        assert scores.mean.shape == (len(probe.responses), len(judge.attributes))
        known = scores.mean[~np.isnan(scores.mean)]
        assert ((known >= 0) & (known <= 1)).all()


def test_scores_do_not_depend_on_the_order_of_probes(judge):
    forwards, backwards = judge.score(PROBES), judge.score(PROBES[::-1])[::-1]
    for one, other in zip(forwards, backwards, strict=True):
        np.testing.assert_allclose(one.mean, other.mean, atol=1e-9)


def test_cost_only_grows(judge):
    before = judge.cost
    judge.score(PROBES)
    spent = judge.cost - before
    assert isinstance(spent, Cost)
    assert min(spent.requests, spent.prompt_tokens, spent.generated_tokens, spent.seconds) >= 0
