"""Judges that ask a language model: who gets which score, and what happens to bad answers."""

import json

import numpy as np
import pytest

from fsa.errors import ConfigError
from fsa.judge.attributes import Attribute
from fsa.judge.comparative import ComparativeJudge
from fsa.judge.engines.engine import Reply
from fsa.judge.judge import Cost
from fsa.judge.plain import PlainJudge
from fsa.judge.scores import Probe
from tests.factories.judges import Scripted, rated, shown_in

THREE = Probe("three", "Say a number.", ("this is 10", "that is 70", "here is 35"))
PAIR = Probe("pair", "Say another.", ("low 5", "high 95"))
BOTH = [ComparativeJudge, PlainJudge]


@pytest.mark.parametrize("judge", BOTH)
def test_scores_come_back_to_their_responses_whatever_the_letters(judge):
    seen = set()
    for seed in range(8):
        engine = Scripted(rated)
        (scores,) = judge(engine, ["verbosity"], samples=3, seed=seed).score([THREE])
        np.testing.assert_allclose(scores.mean[:, 0], [0.10, 0.70, 0.35])
        np.testing.assert_allclose(scores.spread, 0, atol=1e-12)
        assert [row[0] for row in scores.reasoning] == ["It ends in 10.", "It ends in 70.", "It ends in 35."]
        assert scores.problems == ()
        seen |= {tuple(shown_in(question).values()) for question in engine.asked}
    assert len(seen) == (6 if judge is ComparativeJudge else 3)  # all 3! orders; or each text by itself


def test_the_comparative_judge_shows_all_and_the_plain_one_each_alone():
    comparative, plain = Scripted(rated), Scripted(rated)
    ComparativeJudge(comparative, ["verbosity", "care"], samples=2).score([THREE])
    PlainJudge(plain, ["verbosity", "care"], samples=2).score([THREE])
    assert len(comparative.asked) == 2 * 2
    assert all(list(shown_in(question)) == ["A", "B", "C"] for question in comparative.asked)
    assert len(plain.asked) == 2 * 2 * 3
    assert all(list(shown_in(question)) == ["A"] for question in plain.asked)


def test_mean_and_spread_are_over_the_samples():
    said = iter([20, 60])

    def answer(_):
        score = next(said)
        return json.dumps({letter: {"reasoning": "So.", "score": score} for letter in "AB"})

    (scores,) = ComparativeJudge(Scripted(answer), ["verbosity"], samples=2).score([PAIR])
    np.testing.assert_allclose(scores.mean, 0.4)
    np.testing.assert_allclose(scores.spread, 0.2)  # of 0.2 and 0.6 about 0.4


def test_a_sample_that_fails_is_left_out_of_the_mean_and_counted():
    said = iter(["no JSON at all", None])

    def answer(question):
        return next(said) or rated(question)

    (scores,) = ComparativeJudge(Scripted(answer), ["verbosity"], samples=2).score([PAIR])
    np.testing.assert_allclose(scores.mean[:, 0], [0.05, 0.95])
    assert scores.problems == ("not JSON",)


@pytest.mark.parametrize("judge", BOTH)
@pytest.mark.parametrize("problem", ["truncated", "refusal", "time-out", "HTTP 500"])
def test_a_reply_with_a_problem_is_never_scored_even_if_it_reads_well(judge, problem):
    engine = Scripted(lambda question: Reply(rated(question), problem))
    (scores,) = judge(engine, ["verbosity"]).score([PAIR])
    assert np.isnan(scores.mean).all()
    assert scores.reasoning == ((None,), (None,))
    assert set(scores.problems) == {problem}
    assert len(scores.problems) == len(engine.asked)


def test_a_missing_letter_leaves_only_its_response_without_a_score():
    def answer(question):
        whole = json.loads(rated(question))
        gone = next(letter for letter, text in shown_in(question).items() if text == "that is 70")
        return json.dumps({letter: said for letter, said in whole.items() if letter != gone})

    (scores,) = ComparativeJudge(Scripted(answer), ["verbosity"]).score([THREE])
    np.testing.assert_allclose(scores.mean[:, 0], [0.10, np.nan, 0.35])
    assert scores.problems == ("missing letter",)
    assert not scores.is_complete


@pytest.mark.parametrize("judge", BOTH)
def test_equal_responses_are_shown_once_tie_and_are_counted(judge):
    engine = Scripted(rated)
    (scores,) = judge(engine, ["verbosity"]).score([Probe("twins", "", ("a 40", "b 60", "a 40"))])
    np.testing.assert_allclose(scores.mean[:, 0], [0.4, 0.6, 0.4])
    assert scores.problems == ("duplicate response",)
    assert sum(len(shown_in(question)) for question in engine.asked) == 2


@pytest.mark.parametrize("judge", BOTH)
def test_other_probes_and_their_order_change_nothing(judge):
    alone, together = Scripted(rated), Scripted(rated)
    judge(alone, ["verbosity"], samples=2).score([PAIR])
    judge(together, ["verbosity"], samples=2).score([THREE, PAIR])
    assert [question for question in together.asked if "another" in question.ask] == alone.asked


def test_samples_differ_in_seed_and_the_same_seed_asks_the_same():
    engines = [Scripted(rated) for _ in range(3)]
    for engine, seed in zip(engines, (0, 0, 1), strict=True):
        ComparativeJudge(engine, ["verbosity"], samples=4, seed=seed).score([PAIR])
    assert engines[0].asked == engines[1].asked
    seeds = [question.seed for engine in (engines[0], engines[2]) for question in engine.asked]
    assert len(set(seeds)) == 8
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_the_cost_is_summed_over_all_calls():
    judge = ComparativeJudge(Scripted(rated), ["verbosity"], samples=2)
    judge.score([PAIR])
    judge.score([THREE])
    cost = judge.cost
    assert (cost.requests, cost.prompt_tokens, cost.generated_tokens) == (4, 40, 20)
    assert cost.seconds > 0
    assert PlainJudge(Scripted(rated), ["verbosity"]).cost == Cost()


def test_attributes_are_known_names_ones_own_or_a_file(tmp_path):
    own = Attribute("wit", "how droll it is", "it is droll", "it is dull")
    judge = ComparativeJudge(Scripted(rated), ["care", own])
    assert judge.attributes == ("care", "wit")
    file = tmp_path / "own.yaml"
    file.write_text("- {name: wit, definition: how droll, high: droll, low: dull}\n")
    assert ComparativeJudge(Scripted(rated), str(file)).attributes == ("wit",)
    with pytest.raises(ConfigError, match="'charm' has no definition; known are helpfulness"):
        ComparativeJudge(Scripted(rated), ["charm"])
    with pytest.raises(ConfigError, match="comes twice"):
        ComparativeJudge(Scripted(rated), ["care", "care"])
    with pytest.raises(ConfigError, match="name one or more"):
        ComparativeJudge(Scripted(rated), [])


@pytest.mark.parametrize("wrong", [{"samples": 0}, {"max_reasoning": 0}, {"max_chars": 0}])
def test_numbers_below_one_are_refused(wrong):
    with pytest.raises(ConfigError, match=f"{next(iter(wrong))} must be 1 or more, came 0"):
        ComparativeJudge(Scripted(rated), ["care"], **wrong)
