"""What one person's model says: of anybody, in any company, however it is asked."""

import math
from collections.abc import Callable
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from fsa import Choice, Pick, RewardModel
from fsa.errors import ChoiceDataError, ShapeError
from fsa.features.projection import Projection
from tests.factories.reward_models import (
    choices_of,
    numbers,
    part,
    randomised,
    small_model,
    swapped,
    text,
    text_choices_of,
    text_model,
)

ENCODERS = {
    "linear": part("encoders.deep_set.DeepSet"),
    "network": part("encoders.deep_set.DeepSet", hidden=[8], squash=4),
    "spread": part("encoders.deep_set.DeepSet", hidden=[8], spread=True),
    "attention": part("encoders.self_attention.SelfAttention", width=8, heads=2),
    "attention with spread": part("encoders.self_attention.SelfAttention", width=8, heads=2, spread=True),
    "pooled": part("encoders.no_context.NoContext"),
}
SCORERS = {"bilinear": part("models.bilinear.Bilinear"), "concat": part("models.concat.Concat", hidden=[8])}


def agree(first, second, atol=1e-6):
    np.testing.assert_allclose(first.reward, second.reward, rtol=0, atol=atol)
    assert (first.stderr is None) == (second.stderr is None)
    if first.stderr is not None:
        np.testing.assert_allclose(first.stderr, second.stderr, rtol=0, atol=atol)


def check_company(
    rewards: RewardModel, choices: list, prompts: list, responses: list, atol: float = 1e-6
) -> None:
    """Everybody alone, in company, and in company the other way round."""
    alone = [
        rewards.for_user(mine).score(*asked)
        for mine, asked in zip(choices, zip(prompts, responses, strict=True), strict=True)
    ]
    together = rewards.score_batch(rewards.for_users(choices), prompts, responses)
    back = rewards.score_batch(rewards.for_users(choices[::-1]), prompts[::-1], responses[::-1])
    assert len(alone) == len(together) == 100
    for one, company, other_order in zip(alone, together, back[::-1], strict=True):
        agree(one, company, atol)
        agree(one, other_order, atol)


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("scorer", SCORERS)
def test_nobodys_score_depends_on_the_others(encoder, scorer):
    rewards = small_model(encoder=ENCODERS[encoder], scorer=SCORERS[scorer])
    # Context sizes, options of a choice and responses to score all differ between people.
    choices = [choices_of(i, i % 12, 2 + i % 3) for i in range(100)]
    check_company(rewards, choices, [""] * 100, [numbers(5000 + i, 1 + i % 4) for i in range(100)])


RIVALS = {
    "own": part("models.own_logistic.OwnLogistic", ridge=1.0),
    "transformer": part("models.group_preference.GroupPreference", width=8, heads=2),
}


def remembering(scorer: str) -> RewardModel:
    return small_model(encoder=part("encoders.verbatim.Verbatim"), scorer=RIVALS[scorer])


@pytest.mark.parametrize("scorer", RIVALS)
def test_nobodys_score_depends_on_the_others_where_choices_are_remembered(scorer):
    choices = [choices_of(i, i % 12, 2 + i % 3) for i in range(100)]
    check_company(
        remembering(scorer), choices, [""] * 100, [numbers(5000 + i, 1 + i % 4) for i in range(100)]
    )


@pytest.mark.parametrize("scorer", RIVALS)
def test_remembered_choices_are_made_features_once(scorer, monkeypatch):
    rewards, read = remembering(scorer), []
    extract = rewards.features.extract
    monkeypatch.setattr(rewards.features, "extract", lambda p, r: read.append(len(r)) or extract(p, r))
    person = rewards.for_user(choices_of(1, 4))
    person.score("", numbers(0, 3))
    person.score("", numbers(1, 2))
    assert read == [8, 3, 2]


@pytest.mark.parametrize("store", [True, False])
def test_nobodys_score_depends_on_the_others_where_texts_are_read_in_batches(bert, store):
    rewards = text_model(bert, store=store)
    choices = [text_choices_of(i, i % 5) for i in range(100)]
    prompts = [text(i, 2 + i % 7) for i in range(100)]
    responses = [[text(3000 + 5 * i + j, 1 + (i + j) % 9) for j in range(1 + i % 3)] for i in range(100)]
    # Without a store a text is read anew, in another batch, and the backbone rounds to single precision.
    largest = max(
        np.abs(rewards.for_user(c).score(p, r).reward).max()
        for c, p, r in zip(choices, prompts, responses, strict=True)
    )
    check_company(rewards, choices, prompts, responses, 1e-6 if store else 1e-6 * largest)


def test_the_order_of_choices_makes_no_difference():
    rewards, choices = small_model(encoder=ENCODERS["network"]), choices_of(1, 9)
    agree(
        rewards.for_user(choices).score("", numbers(0)), rewards.for_user(choices[::-1]).score("", numbers(0))
    )


def test_swapping_every_choice_turns_every_preference_round():
    rewards = small_model(encoder=ENCODERS["network"])  # odd evidence, and a reward linear in the belief
    with torch.no_grad():
        rewards.scorer.common.weight.zero_()
    for person in range(20):
        choices, (a, b) = choices_of(person, 1 + person % 8), numbers(700 + person)
        first, second = rewards.for_user(choices), rewards.for_user(swapped(choices))
        gap = np.diff(first.score("", [a, b]).reward)
        assert abs(gap) > 1e-6
        np.testing.assert_allclose(np.diff(second.score("", [a, b]).reward), -gap, rtol=1e-12)
        assert first.prefers("", a, b) + second.prefers("", a, b) == pytest.approx(1)


def test_an_unknown_person_is_everybody():
    # No choices: belief zero, so of z . A h + b . h the common b . h is left.
    rewards, options = small_model(), numbers(3, 4)
    expected = np.array(options) @ rewards.scorer.common.weight.detach().numpy()[0]
    np.testing.assert_allclose(rewards.for_user([]).score("", options).reward, expected, rtol=1e-6)
    known = rewards.for_user(choices_of(1, 5)).score("", options).reward
    assert np.abs(known - expected).max() > 0.01


def test_a_pooled_model_takes_everybody_for_unknown():
    rewards = small_model(encoder=ENCODERS["pooled"])
    agree(
        rewards.for_user(choices_of(1, 5)).score("", numbers(0, 3)),
        rewards.for_user([]).score("", numbers(0, 3)),
    )


def test_preference_is_the_logistic_of_the_reward_gap():
    person, (a, b) = small_model().for_user(choices_of(2, 4)), numbers(0)
    gap = float(np.subtract(*person.score("", [a, b]).reward))
    assert person.prefers("", a, b) == pytest.approx(1 / (1 + math.exp(-gap)))
    assert person.prefers("", a, b) + person.prefers("", b, a) == pytest.approx(1)


def test_a_point_belief_has_no_stderr():
    assert small_model().for_user(choices_of(1, 3)).score("", numbers(0)).stderr is None


def test_stderr_is_the_spread_of_the_reward_over_the_belief():
    # z . A h with z ~ N(m, diag s^2) has mean m . A h and variance sum_i (s_i (A h)_i)^2.
    rewards = small_model(encoder=ENCODERS["spread"], num_samples=4000)
    person, options = rewards.for_user(choices_of(1, 3)), numbers(0, 5)
    taste = np.array(options) @ rewards.scorer.taste.weight.detach().numpy().T  # [k, z]
    common = np.array(options) @ rewards.scorer.common.weight.detach().numpy()[0]
    scores = person.score("", options)
    mean, std = person.belief.mean[0].numpy(), person.belief.std[0].numpy()
    np.testing.assert_allclose(scores.reward, taste @ mean + common, rtol=1e-6)  # noise is centred
    np.testing.assert_allclose(scores.stderr, np.sqrt(np.square(taste * std).sum(1)), rtol=0.1)


def test_choices_make_a_belief_narrower():
    rewards = small_model(encoder=ENCODERS["spread"])
    stderr = [rewards.for_user(choices_of(1, n)).score("", numbers(0)).stderr.mean() for n in (0, 3, 20)]
    assert stderr[0] > stderr[1] > stderr[2] > 0


def test_choices_may_be_records_or_objects_with_or_without_user():
    rewards, records = small_model(), choices_of(1, 3)
    objects = [
        Choice("ann", "", tuple(tuple(option) for option in record["options"]), Pick(record["chosen"]))
        for record in records
    ]
    tuples = [{**record, "options": tuple(map(tuple, record["options"]))} for record in records]
    expected = rewards.for_user(records).score("", numbers(0))
    for same in (objects, tuples, [{**record, "user": "ann"} for record in records]):
        agree(rewards.for_user(same).score("", numbers(0)), expected)


def test_a_ranking_of_a_pair_and_the_index_of_its_best_are_the_same_choice():
    rewards, (record,) = small_model(), choices_of(1, 1)
    ranked = [{"options": record["options"], "ranking": [0, 1]}]
    agree(rewards.for_user([record]).score("", numbers(0)), rewards.for_user(ranked).score("", numbers(0)))


def test_trl_rows_and_our_records_are_the_same_choices(bert):
    rewards, rows = text_model(bert), text_choices_of(1, 3)
    records = [
        {"prompt": row["prompt"], "options": [row["rejected"], row["chosen"]], "chosen": 1} for row in rows
    ]
    asked = text(1), [text(2), text(3)]
    agree(rewards.for_user(rows).score(*asked), rewards.for_user(records).score(*asked))


@pytest.mark.parametrize("backbone", ["bert", "llama"])
def test_chats_are_scored_as_lists_or_tuples(backbone, request):
    rewards = text_model(request.getfixturevalue(backbone))
    chat = [{"role": "user", "content": "w1 w2"}, {"role": "assistant", "content": "w3"}]
    replies = [[{"role": "assistant", "content": "w4 w5"}], [{"role": "assistant", "content": "w6"}]]
    choice = {"prompt": chat, "chosen": replies[0], "rejected": replies[1]}
    person = rewards.for_user([choice])
    listed = person.score(chat, replies)
    agree(listed, person.score(tuple(chat), [tuple(reply) for reply in replies]))
    agree(listed, rewards.score_batch([person], [chat], [replies])[0])
    assert listed.reward[0] != listed.reward[1]


def test_a_chat_of_one_message_is_its_text_where_there_is_no_template(bert):
    person = text_model(bert).for_user(text_choices_of(1, 2))
    said, written = ([{"role": "user", "content": "w7"}], "w7")
    agree(person.score(said, ["w1", "w2"]), person.score(written, ["w1", "w2"]))


def test_one_number_needs_no_list():
    projection = Projection(num_components=None, extras=[]).fit(np.ones((2, 1)), [(0.0,), (1.0,)])
    config = {**small_model().config, "d_feature": 1, "features": part("features.numeric.Numeric")}
    person = randomised(RewardModel(config, projection), 0).for_user([{"options": [0.1, 0.7], "chosen": 1}])
    agree(person.score("", [0.5, 1]), person.score("", [(0.5,), [1.0]]))


def test_people_of_one_call_may_have_any_number_of_responses():
    rewards = small_model()
    people = rewards.for_users([choices_of(i, i) for i in range(3)])
    scored = rewards.score_batch(people, ["", "", ""], [numbers(0, 1), numbers(1, 4), numbers(2, 2)])
    assert [len(scores.reward) for scores in scored] == [1, 4, 2]


def test_nobody_at_all_is_no_scores():
    rewards = small_model()
    assert rewards.for_users([]) == []
    assert rewards.score_batch([], [], []) == []


def test_nobody_known_is_legal_in_company():
    beliefs = small_model(encoder=ENCODERS["attention"]).for_users([[], [], []])
    assert_close(beliefs[0].belief.mean, beliefs[2].belief.mean, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        (lambda model, person: person.score("", []), r"responses\[0\] is empty"),
        (
            lambda model, person: person.score("", "abc"),
            r"responses\[0\] must be a list of responses, came 'abc'",
        ),
        (lambda model, person: model.score_batch([person], ["", ""], [[]]), "1 people, 2 prompts, 1 lists"),
        (
            lambda model, person: small_model().score_batch([person], [""], [numbers(0)]),
            r"people\[0\] was read by",
        ),
    ],
)
def test_what_cannot_be_scored_is_said(ask: Callable, named: str):
    model = small_model()
    with pytest.raises(ShapeError, match=named):
        ask(model, model.for_user([]))


@pytest.mark.parametrize("response", [None, True, {"role": "user", "content": "w1"}, [], [{"text": "w1"}]])
def test_a_response_that_is_none_is_named(response):
    with pytest.raises(ChoiceDataError, match=r"^responses\[0\]\[1\]: response"):
        small_model().for_user([]).score("", [(0.0, 1.0), response])


@pytest.mark.parametrize("prompt", [None, 3, [{"role": "nobody", "content": "w1"}]])
def test_a_prompt_that_is_none_is_named(prompt):
    with pytest.raises(ChoiceDataError, match=r"^prompts\[0\]: prompt"):
        small_model().for_user([]).score(prompt, numbers(0))


@pytest.mark.parametrize(
    "bad",
    [
        {"options": [[0, 1], [1, 0]], "chosen": 2},
        {"options": [[0, 1]], "chosen": 0},
        {"options": [[0, 1], [0, float("nan")]], "chosen": 0},
        {"options": [[0, 1], [1, 0]], "chosen": 0, "label": 1},
        "w1",
        None,
        Choice("ann", "", ((0.0, 1.0), (1.0, 0.0)), Pick(2)),
        Choice("ann", "", ((0.0, 1.0),), Pick(0)),
    ],
)
def test_a_bad_record_is_named_by_its_position(bad):
    with pytest.raises(ChoiceDataError, match=r"^choices\[2\]: "):
        small_model().for_user([*choices_of(1, 2), bad])


def test_a_model_that_was_saved_gives_the_same_rewards_again(tmp_path: Path):
    rewards = small_model(encoder=ENCODERS["spread"])
    rewards.save_pretrained(tmp_path)
    again = RewardModel.from_pretrained(tmp_path)
    asked = choices_of(1, 4), numbers(0, 3)
    first, second = (model.for_user(asked[0]).score("", asked[1]) for model in (rewards, again))
    assert first.reward.tolist() == second.reward.tolist()
    assert first.stderr.tolist() == second.stderr.tolist()


def test_of_two_parameters_the_first_is_the_reward_and_both_make_the_preference():
    rewards = small_model(
        encoder=ENCODERS["pooled"],
        scorer=part("models.bilinear.Bilinear", num_params=2),
        likelihood=part("likelihoods.mean_variance.MeanVariance", min_std=0.1),
    )
    person, (a, b) = rewards.for_user([]), numbers(0)
    # Common weights [2, d]: row 0 gives the mean, row 1 the raw std.
    mean, raw = rewards.scorer.common.weight.detach().numpy() @ np.array([a, b]).T
    np.testing.assert_allclose(person.score("", [a, b]).reward, mean, rtol=1e-6)
    std = np.log1p(np.exp(raw)) + 0.1
    expected = NormalDist().cdf((mean[0] - mean[1]) / math.hypot(*std))
    assert person.prefers("", a, b) == pytest.approx(expected, abs=1e-6)
