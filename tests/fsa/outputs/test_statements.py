"""What is said beside what is chosen."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from fsa.errors import ConfigError
from fsa.judge.scores import AttributeScores, Probe
from fsa.judge.target import AlignmentTarget
from fsa.outputs.policy import Policy
from fsa.outputs.reading import believed, choice_batch
from fsa.outputs.reward_model import RewardModel
from fsa.outputs.statements import Bank
from tests.factories.byte_llama import save_byte_llama
from tests.factories.policies import make_policy
from tests.factories.reward_models import part, small_model
from tests.fsa.cli.test_ask import TEXTS, length_model

BANK = Bank.measured({"Tea?": TEXTS, "Cake?": TEXTS[:3]}, ["log_length", "log_exclamations"], 2.0)
LONG, SHORT = TEXTS[3], TEXTS[1]


def choices(count: int, likes_long: bool) -> list[dict]:
    both = (LONG, SHORT) if likes_long else (SHORT, LONG)
    return [{"prompt": f"Question {i}?", "chosen": both[0], "rejected": both[1]} for i in range(count)]


def test_a_statement_is_the_choices_of_who_means_it_and_counts_as_much_as_its_strength():
    evidence = BANK.evidence({"log_length": "low"})
    assert len(evidence) == 10 + 3  # all pairs of five, and of three
    for choice, weight in evidence:
        chosen = choice.outcome.places(2).index(0)
        assert len(choice.options[chosen]) < len(choice.options[1 - chosen])
        assert weight > 0
    assert sum(weight for _, weight in evidence) == pytest.approx(2.0)
    assert sum(w for _, w in Bank.measured({"a": TEXTS}, strength=5.0).evidence({"log_words": 1})) == (
        pytest.approx(5.0)
    )


def test_a_level_between_prefers_what_is_near_it():
    evidence = {c.options: c.outcome.index for c, _ in BANK.evidence({"log_length": "middle"})}
    assert evidence[TEXTS[0], TEXTS[2]] == 1
    assert evidence[TEXTS[2], TEXTS[4]] == 0


def test_an_attribute_that_all_have_alike_says_nothing():
    assert BANK.evidence({"log_exclamations": "high"}) == ()


def test_statement_and_choices_add_up_and_choices_win_in_the_end():
    model = length_model()

    def likes_long(count, **stated):
        return model.for_user(choices(count, likes_long=True), **stated).prefers("Milk?", LONG, SHORT)

    says_low = {"stated": {"log_length": "low"}, "bank": BANK}
    says_high = {"stated": {"log_length": "high"}, "bank": BANK}
    assert likes_long(0, **says_low) < 0.35 < likes_long(0) < 0.65 < likes_long(0, **says_high)
    for count in (1, 3, 10):
        assert likes_long(count, **says_high) >= likes_long(count) > likes_long(count, **says_low)
    assert likes_long(10, **says_low) > 0.9


def test_a_policy_believes_a_statement_by_how_its_encoder_reads_choices(tmp_path):
    """A scorer that reads tokens cannot predict choices by their features; the encoder's own reward does."""
    plain = make_policy(save_byte_llama(tmp_path / "llama"))
    tastes = part("encoders.taste_posterior.TastePosterior", components=2, units=4)
    policy = Policy({**plain.config, "encoder": tastes}, plain.projection)
    made = [{"prompt": "Tea?", "chosen": TEXTS[3], "rejected": TEXTS[1]}] * 3
    beliefs = {
        level: policy.for_user(made, stated={"log_length": level}, bank=BANK).belief.mean
        for level in ("low", "high")
    }
    assert all(mean.isfinite().all() for mean in beliefs.values())
    assert not torch.equal(beliefs["low"], beliefs["high"])
    history = policy.for_user(made, stated={"log_length": "high"}, bank=BANK).history
    batch = choice_batch(policy, [history])
    is_said = torch.arange(batch.mask.shape[1]).unsqueeze(0) >= 3
    share = believed(policy, batch, is_said).weight[0, 3:] / batch.weight[0, 3:]
    # The same encoder under a head that reads features: the same shares.
    parts = {"scorer": part("models.taste_reward.TasteReward")}
    head = RewardModel({**policy.config, **parts, "format": RewardModel.layout}, policy.projection)
    head.encoder.load_state_dict(policy.encoder.state_dict())
    assert_close(believed(head, batch, is_said).weight[0, 3:] / batch.weight[0, 3:], share)
    assert 0 < share[0].item() < 1


@pytest.mark.parametrize("likes_long", [True, False])
def test_a_statement_counts_by_how_well_it_foretells_a_choice(likes_long):
    """The posterior of "the statement is meant" after one choice, by hand from the two predictions of it."""
    model, says = length_model(), {"log_length": "high"}
    history = model.for_user(choices(1, likes_long), stated=says, bank=BANK).history
    batch = choice_batch(model, [history])
    is_said = torch.arange(batch.mask.shape[1]).unsqueeze(0) >= 1
    found = believed(model, batch, is_said).weight
    # Alone, a statement is believed by 0.995 and so counts as much as one of 2 / 0.995 does here.
    alone = model.for_user([], stated=says, bank=replace(BANK, strength=2.0 / 0.995))
    first, second = (LONG, SHORT) if likes_long else (SHORT, LONG)
    meant, unknown = (each.prefers("Question 0?", first, second) for each in (alone, model.for_user([])))
    share = 0.995 * meant / (0.995 * meant + 0.005 * unknown)
    assert share > 0.995 if likes_long else share < 0.995
    assert_close(found[0, 1:], share * batch.weight[0, 1:], rtol=1e-6, atol=0)
    assert found[0, 0] == 1


def test_a_target_over_a_judges_scores_is_a_statement_too():
    probe = Probe("p", "Tea?", (SHORT, LONG, TEXTS[2]))
    scores = AttributeScores(("verbosity",), np.array([[0.1], [0.9], [np.nan]]))
    bank = Bank((probe,), (scores,))
    evidence = bank.evidence(AlignmentTarget({"verbosity": 1.0}))
    assert [(choice.options, choice.outcome.index) for choice, _ in evidence] == [((SHORT, LONG), 1)]
    assert length_model().for_user([], stated={"verbosity": 1}, bank=bank).prefers("", LONG, SHORT) > 0.6


def test_what_was_said_stays_with_the_person(tmp_path):
    model = length_model()
    said = {"stated": {"log_length": "high"}, "bank": BANK}
    person = model.for_user(choices(2, True), **said)
    person.save(tmp_path / "person")
    again = model.load_person(tmp_path / "person")
    more = choices(3, True)[2]
    wanted = model.for_user(choices(3, True), **said).score("", TEXTS).reward
    assert np.array_equal(again.update(more).score("", TEXTS).reward, wanted)
    assert np.array_equal(
        person.forget("all").score("", TEXTS).reward, model.for_user([]).score("", TEXTS).reward
    )
    other = person.state({"log_length": "low"}, BANK)
    assert np.array_equal(
        other.score("", TEXTS).reward,
        model.for_user(choices(2, True), stated={"log_length": "low"}, bank=BANK).score("", TEXTS).reward,
    )


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"log_length": "lots"}, "low, middle or high"),
        ({"kindness": 1}, "kindness"),
        ({"log_length": 2}, "from 0 to 1"),
        ({"log_length": 10**400}, "from 0 to 1"),
        ("low", "stated must be an object of attributes and levels, came 'low'"),
        (3, "stated must be an object"),
    ],
)
def test_what_cannot_be_meant_is_said(stated, words):
    with pytest.raises(ConfigError, match=words):
        BANK.evidence(stated)


def test_without_bank_probe_or_weights_there_is_no_statement():
    with pytest.raises(ConfigError, match="needs a bank"):
        length_model().for_user([], stated={"log_length": 1})
    with pytest.raises(ConfigError, match="a bank needs probes"):
        Bank((), ())
    with pytest.raises(ConfigError, match="strength"):
        Bank.measured({"a": TEXTS}, strength=0.0)
    with pytest.raises(ConfigError, match="counts all choices alike"):
        small_model().for_user([], stated={"log_length": 1}, bank=BANK)
