import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

import eval.generations as recipe
from eval import generations_continuum as continuum
from eval import generations_unseen as unseen
from eval.generations_answers import Answers, Writing
from eval.generations_cells import Cells, joined, rows_of
from eval.generations_distance import draw, up_to_end
from eval.generations_judges import RewardJudge, SandboxJudge, direction, judge_of
from eval.generations_measures import Scale, moved, wins, write
from eval.generations_page import page
from eval.generations_people import Field, Subject, choose, only_one_source
from fsa.choices.sandbox import ATTRIBUTES, Sandbox
from fsa.choices.sandbox_text.composing import compose
from fsa.choices.sandbox_text.measuring import measure
from fsa.choices.splits import Splitter
from fsa.choices.synthetic import Synthetic
from fsa.conditioning.lora_gain import LoraGain
from fsa.errors import ConfigError
from fsa.models.policy import PolicyScorer
from fsa.outputs.item_tokens import Texts
from fsa.outputs.report import Report
from fsa.seeding import stable_hash
from fsa.types import Belief

TYPES = ["concise", "long", "plain", "cheerful"]
ARGUMENTS = {"num_prompts": 120, "num_users": 80, "choices_per_user": 40, "types": TYPES}
BOTH = Splitter("both", (0.4, 0.1, 0.5))


def levels_of(text: str) -> np.ndarray:
    return np.array(list(measure(text).values()))


class StandIn:
    """A policy that sees what somebody likes, and writes it; nobody in particular gets a style by prompt.

    Its latent is the mean difference of levels, chosen less rejected: 2 on an attribute that always decides.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[object, object]] = []

    @classmethod
    def from_pretrained(cls, folder: Path, trust_remote_code: bool = False) -> "StandIn":
        return Blind() if "pooled" in str(folder) else cls()

    def for_users(self, choices_of_each):
        return [self.with_latent(self.latent(choices)) for choices in choices_of_each]

    def latent(self, choices) -> torch.Tensor:
        differences = [
            levels_of(choice.options[best]) - levels_of(choice.options[1 - best])
            for choice in choices
            for best in [choice.outcome.index]
        ]
        return torch.from_numpy(np.mean(differences, 0) if differences else np.zeros(5))

    def with_latent(self, z: torch.Tensor):
        return SimpleNamespace(model=self, belief=Belief.point(z[None]))

    def generate(self, people, prompts, batch_size, progress, **options):
        self.asked += list(zip(people, prompts, strict=True))
        return [self.answer(*asked) for asked in zip(people, prompts, strict=True)]

    def answer(self, person, prompt: str) -> str:
        number = stable_hash(prompt)
        habit = np.array([1 if number >> bit & 1 else -1 for bit in range(5)])
        liked = np.zeros(5) if person is None else person.belief.mean[0].numpy()
        style = np.where(np.abs(liked) > 0.8, np.sign(liked), habit).astype(int)
        return compose(0, style, seed=0, index=number % 1000)

    def score_batch(self, people, prompts, responses):
        return [
            SimpleNamespace(reward=np.array([levels_of(r) @ person.belief.mean[0].numpy() for r in each]))
            for person, each in zip(people, responses, strict=True)
        ]


class Blind(StandIn):
    """Pooled: reads nobody's choices."""

    def latent(self, choices) -> torch.Tensor:
        return torch.zeros(5, dtype=torch.float64)


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox(**ARGUMENTS)


@pytest.fixture(scope="module")
def field(sandbox) -> Field:
    return choose(BOTH(sandbox.load()).test, people=4, prompts=6, max_context=8, max_others=20, seed=1)


def subject(group: str, number: int = 0, choices=(), others=()) -> Subject:
    return Subject(f"user-{number}", number, group, tuple(choices), tuple(others))


def test_no_choice_is_about_an_asked_prompt_and_none_to_predict_about_a_seen_one(field):
    assert len(field.subjects) == 16
    for person in field.subjects:
        seen = {choice.prompt for choice in person.choices}
        predicted = {choice.prompt for choice in person.others}
        assert not (seen | predicted) & set(field.prompts)
        assert not seen & predicted
        assert {choice.user for choice in (*person.choices, *person.others)} == {person.name}


def test_every_group_gives_equally_many_people_with_whole_contexts(field):
    assert field.groups == TYPES
    assert [sum(person.group == group for person in field.subjects) for group in TYPES] == [4] * 4
    assert field.shortened(8) == 0
    assert len(field.of("long").subjects) == 4


def test_a_field_depends_on_its_seed_alone(sandbox, field):
    table = BOTH(sandbox.load()).test
    assert choose(table, 4, 6, 8, 20, seed=1) == field
    assert choose(table, 4, 6, 8, 20, seed=2).prompts != field.prompts
    smaller = choose(table, 4, 6, 3, 20, seed=1)  # a smaller context is the beginning of a larger one
    assert [p.choices for p in smaller.subjects] == [p.choices[:3] for p in field.subjects]


@pytest.mark.parametrize("prompts", [0, 1000])
def test_prompts_that_leave_nothing_to_know_people_by_are_refused(sandbox, prompts):
    with pytest.raises(ConfigError, match=f"prompts is {prompts}, allowed are 1 to"):
        choose(BOTH(sandbox.load()).test, 4, prompts, 8, 20, seed=1)


def test_numbers_are_no_answers():
    with pytest.raises(ConfigError, match="options are numbers"):
        choose(Synthetic(num_users=10).load(), 4, 1, 8, 20, seed=1)


def test_runs_about_different_choices_are_not_compared():
    mine = {"source": 1, "splits": 2}
    only_one_source([mine, dict(mine)], ["a", "b"])
    with pytest.raises(ConfigError, match="b: its splits differs from that of a"):
        only_one_source([mine, {"source": 1, "splits": 3}], ["a", "b"])


def test_one_belief_is_asked_one_prompt_once(field):
    policy = StandIn()
    answers = Answers(policy, Writing())
    nobody, also_nobody = policy.for_users([[], []])
    first = answers.of([nobody, also_nobody, None], ["p", "q"])
    assert first.shape == (3, 2, 1)
    assert len(policy.asked) == 4  # nobody and the reference, two prompts each
    assert (answers.of([nobody], ["q"]) == first[:1, 1:]).all()
    assert len(policy.asked) == 4


def test_samples_are_asked_for_apart():
    policy = StandIn()
    answers = Answers(policy, Writing(do_sample=True, samples=3))
    assert answers.of([None], ["p"]).shape == (1, 1, 3)
    assert len(policy.asked) == 3
    assert Writing(do_sample=True).options == {
        "max_new_tokens": 200,
        "do_sample": True,
        "temperature": 1.0,
        "top_k": 0,
        "top_p": 1.0,
    }


@pytest.mark.parametrize("wrong", [{"samples": 2}, {"samples": 0}, {"temperature": 0.0}])
def test_ways_of_writing_that_cannot_be_are_refused(wrong):
    with pytest.raises(ConfigError):
        Writing(**wrong)


def test_movement_is_the_gain_in_what_a_person_weighs():
    # Two people who want opposite things of the first scale; one prompt, two samples of two scales.
    after = np.array([[[[1.0, 0.5], [0.0, 0.5]]], [[[1.0, 0.0], [1.0, 0.0]]]])
    before = np.array([[[[-1.0, 0.0], [0.0, 0.0]]]])
    assert_allclose(moved(after, before, np.array([[1.0, 0.0], [-1.0, 0.0]])), [[1.0], [-1.5]])
    assert_allclose(moved(after, before, np.array([[0.0, 2.0], [0.0, 2.0]])), [[1.0], [0.0]])


def test_a_win_is_better_than_the_rival_by_ones_own_taste_and_a_tie_is_half():
    mine = np.array([[[[0.5]], [[0.2]], [[-1.0]]], [[[0.5]], [[0.2]], [[-1.0]]]])  # [2, 3, 1, 1]
    rival = np.array([[[[0.0]], [[0.2]], [[0.0]]]])
    assert_allclose(wins(mine, rival, np.array([[1.0], [-3.0]])), [[1, 0.5, 0], [0, 0.5, 1]])


def test_samples_are_compared_each_against_each():
    mine, rival = np.array([[[[1.0], [-1.0]]]]), np.array([[[[0.0], [-1.0]]]])
    assert_allclose(wins(mine, rival, np.ones((1, 1))), [[(1 + 1 + 0 + 0.5) / 4]])


def test_nobodys_answers_are_one_a_prompt_and_everybodys_one_each(field):
    policy = StandIn()
    written = write(Answers(policy, Writing()), field, [0, 8])
    assert written.nobody.shape == written.reference.shape == (1, 6, 1)
    assert written.given[8].shape == written.reversed.shape == (16, 6, 1)
    assert (written.given[0] == written.nobody).all()
    i = next(i for i, person in enumerate(field.subjects) if person.group == "cheerful")
    assert (measure(list(written.given[8][i, :, 0]))["tone"] > 0.5).all()
    assert (measure(list(written.reversed[i, :, 0]))["tone"] < -0.5).all()


def test_people_and_poles_weigh_as_the_sandbox_made_them(sandbox, field):
    judge = SandboxJudge(sandbox)
    for person, taste in zip(field.subjects, judge.tastes(field.subjects), strict=True):
        assert_allclose(taste, direction(person.group))
    assert_allclose(direction("plain"), [0, -1, 0, 0, 0])
    assert list(judge.named_by("long+cheerful")) == ["long", "cheerful"]
    text = compose(0, (1, -1, 1, 1, -1), seed=0, index=3)
    assert_allclose(judge.measure([""], [text]), [levels_of(text)])


class Likes:
    """A dedicated reward model: the reward is how often a word comes."""

    def __init__(self, word: str) -> None:
        self.word, self.scored = word, 0

    def for_user(self, choices) -> None:
        return None

    def score_batch(self, people, prompts, responses):
        self.scored += len(responses)
        return [SimpleNamespace(reward=np.array([each[0].count(self.word)])) for each in responses]


def test_dedicated_rewards_judge_their_own_group_and_the_same_text_once():
    judge = RewardJudge({"a": Likes("x"), "b": Likes("y")})
    levels = Scale(judge, ["p"])(np.array([[["xxy"]], [["y"]], [["y"]]], object))
    assert_allclose(levels[:, 0, 0], [[2, 1], [0, 1], [0, 1]])
    assert judge.models["a"].scored == 2
    assert_allclose(judge.tastes([subject("b"), subject("a")]), [[0, 1], [1, 0]])
    assert judge.named_by("a") == {}
    with pytest.raises(ConfigError, match="no --judge for the group 'c'; there are some for a, b"):
        judge.tastes([subject("c")])


def test_other_data_than_the_sandbox_needs_judges_of_one_group_each(tmp_path):
    with pytest.raises(ConfigError, match="--judge is missing"):
        judge_of([], Synthetic())
    (tmp_path / "config.yaml").write_text("only_group: null\n")
    with pytest.raises(ConfigError, match="names no only_group"):
        judge_of([str(tmp_path)], Synthetic())


def cells(metric: str, value, group, size: int = 8, weight=None, seed: int = 0) -> Cells:
    n = np.arange(len(value))
    weights = np.ones(len(n)) if weight is None else np.array(weight, float)
    groups = np.array(group, object)
    return Cells(metric, size, np.array(value, float), n, n, groups, n * 0 + seed, weights)


def test_a_ratio_is_sum_over_sum_within_each_training():
    # 6 nats in 4 tokens, then 2 nats in 4 tokens: 1.5 and 0.5 a token, 1 in the mean of trainings.
    first = cells("kl_per_token", [4, 2], ["a", "a"], weight=[1, 3])
    second = cells("kl_per_token", [1, 1], ["a", "a"], weight=[2, 2], seed=1)
    (together,) = joined([first, second])
    found = together.interval()
    assert_allclose(found.value, 1.0)
    assert found.seeds == 2
    assert_allclose(first.interval().value, 1.5)


def test_the_worst_group_is_the_lowest_in_movement_and_the_highest_in_distance():
    for metric, worst in (("movement", 1.0), ("kl_per_token", 3.0), ("reversed_movement", 3.0)):
        rows = list(rows_of(cells(metric, [1, 1, 3], ["a", "a", "b"]), "d", "m", ["a", "b"], False))
        assert [(row.group, row.value) for row in rows[1:]] == [("a", 1.0), ("b", 3.0), ("worst", worst)]
        assert_allclose(rows[0].value, 5 / 3)
        assert rows[0].group == "all"


def test_groups_alone_are_no_all():
    rows = list(rows_of(cells("movement", [1], ["a"]), "d", "m", ["a", "b"], False))
    assert [row.group for row in rows] == ["a"]


def test_a_mixture_has_so_many_choices_of_each(field):
    low, high = field.of("concise").subjects[0], field.of("long").subjects[0]
    for share, of_high in ((0, 0), (0.25, 2), (0.5, 4), (0.75, 6), (1, 8)):
        mixed = continuum.mixture(low, high, 8, share)
        assert [choice.user for choice in mixed].count(high.name) == of_high
        assert len(mixed) == 8


def test_opposite_people_stand_in_pairs(field):
    pairs = continuum.pairs_of(field)
    assert list(pairs) == ["length", "tone"]  # the other attributes have nobody
    assert all((low.group, high.group) == ("plain", "cheerful") for low, high in pairs["tone"])
    assert len(pairs["tone"]) == 4


def test_the_continuum_rises_from_one_pole_to_the_other(sandbox, field, tmp_path):
    found = joined(continuum.cells_of(Answers(StandIn(), Writing()), field, SandboxJudge(sandbox), 8, 0))
    made = continuum.curves(found)
    assert {(curve.attribute, curve.mixed) for curve in made} == {
        (name, mixed) for name in ("length", "tone") for mixed in ("choices", "beliefs")
    }
    for curve in made:
        values = [point.value for point in curve.levels]
        assert values[0] < -0.7 and values[-1] > 0.7  # noqa: PT018
        assert values == sorted(values)
        assert_allclose(curve.step.value, np.diff(values).min())
        assert curve.is_monotone == (np.diff(values) > 0).all()
    ends = {curve.mixed: curve.levels[0].value for curve in made if curve.attribute == "tone"}
    assert ends["choices"] == ends["beliefs"]  # no mixture at the ends
    continuum.plot({"stand-in": made}, tmp_path / "continuum.png")
    assert (tmp_path / "continuum.png").stat().st_size > 10_000
    groups = {row.group for row in continuum.rows_of(found, "d", "m")}
    assert {"plain to cheerful, 0.25 of the way", "plain to cheerful, mixed choices"} <= groups


def test_a_curve_that_falls_somewhere_is_not_monotone():
    levels = dict(zip(continuum.SHARES, ([-1, -1], [0, 0], [-0.5, 0.3], [0.5, 0.5], [1, 1]), strict=True))
    metric = continuum.MIXED["choices"]
    parts = [cells(metric, value, [continuum.group_of("tone", share)] * 2) for share, value in levels.items()]
    (curve,) = continuum.curves(parts)
    assert_allclose(curve.step.value, -0.1)
    assert not curve.is_monotone


@pytest.mark.parametrize("kind", ["long+cheerful", "cheerful+long"])
def test_a_type_that_was_trained_on_is_not_unseen(kind):
    trained = Sandbox(types=["long", "cheerful+long"], num_users=4)
    with pytest.raises(ConfigError, match="the run trained on that type"):
        unseen.sandbox_of(trained, {}, kind)


def test_unseen_people_are_asked_about_the_same_texts_under_the_same_split(sandbox, field):
    other = unseen.sandbox_of(sandbox, ARGUMENTS, "long+cheerful")
    new = unseen.field_of(other, BOTH, "test", 4, 6, 8, seed=1)
    assert new.groups == ["long+cheerful"]
    assert not new.fixed_users
    mine, theirs = sandbox.load(), other.load()
    assert mine.texts == theirs.texts
    held_out = {mine.text(int(number)) for number in np.unique(BOTH(mine).test.prompt)}
    assert set(new.prompts) <= held_out
    assert all(choice.prompt in held_out for person in new.subjects for choice in person.choices)
    judge = SandboxJudge(other)
    assert_allclose(judge.tastes(new.subjects), np.tile(np.array([1, 1, 0, 0, 0]) / 2**0.5, (4, 1)))


def test_both_attributes_of_an_unseen_mixture_are_measured_in_their_own_direction(sandbox):
    other = unseen.sandbox_of(sandbox, ARGUMENTS, "long+cheerful")
    new = unseen.field_of(other, BOTH, "test", 6, 8, 8, seed=1)
    found = joined(unseen.cells_of(Answers(StandIn(), Writing()), new, SandboxJudge(other), [0, 8], 0))
    by_metric = {(one.metric, one.size): one for one in found}
    own = by_metric["own_attribute_movement", 8]
    assert set(own.group) == {"long", "cheerful"}
    total = sum(own.where(own.group == pole).value.mean() for pole in ("long", "cheerful"))
    assert_allclose(by_metric["movement", 8].value.mean(), total / 2**0.5)
    assert by_metric["reversed_movement", 8].interval().high < 0
    assert_allclose(by_metric["implicit_accuracy", 0].interval().value, 0.5)  # equal rewards
    limit, whole = by_metric["bayes_accuracy", 8], by_metric["implicit_accuracy", 8]
    decided = by_metric["decided_implicit_accuracy", 8].interval()
    # Where the options differ in all, the better of one attribute is the worse of the other in half of them:
    # equally good to this person, who tosses a coin.
    assert_allclose(limit.interval().value, 0.75, atol=0.08)
    assert decided.value > 0.85
    assert whole.interval().value < decided.value
    assert decided.n == (np.abs(limit.value - 0.5) > 0).sum()
    assert by_metric["flip_implicit_accuracy", 8].interval().value < 0.45
    assert all(one.slice == {"unseen": "long+cheerful"} for one in found)


def test_an_answer_ends_with_its_first_end():
    answer = torch.tensor([[5, 3, 3, 7], [3, 0, 0, 0], [5, 6, 7, 8]])
    assert up_to_end(answer, 3).tolist() == [
        [True, True, False, False],
        [True, False, False, False],
        [True, True, True, True],
    ]


@pytest.fixture
def small(tmp_path) -> SimpleNamespace:
    """A policy with random weights, 16 wide, and what it is asked with."""
    torch.manual_seed(0)
    words = {word: i for i, word in enumerate(["<pad>", "<end>", "<unk>", *"abcdefghijk"])}
    backend = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>", eos_token="<end>")
    config = LlamaConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, intermediate_size=32, initializer_range=0.5,
        pad_token_id=0, bos_token_id=None, eos_token_id=1,
    )  # fmt: skip
    LlamaForCausalLM(config).eval().save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    scorer = PolicyScorer(4, 3, backbone=str(tmp_path), conditioning=LoraGain(), rank=2).eval()
    return SimpleNamespace(scorer=scorer, texts=Texts(scorer), device=torch.device("cpu"))


def train_somehow(policy: SimpleNamespace) -> None:
    with torch.no_grad():
        for name, weight in policy.scorer.named_parameters():
            if "lora_B" in name:
                weight.copy_(0.5 * torch.randn_like(weight))


def test_a_new_policy_is_at_no_distance(small):
    drawn = draw(small, torch.randn(3, 3), ["a b", "c", "d e f"], 8)
    assert_allclose(drawn.log_ratio, 0, atol=1e-5)
    assert (drawn.tokens >= 1).all() and (drawn.tokens <= 8).all()  # noqa: PT018


def test_the_mean_of_drawn_log_ratios_is_the_divergence(small):
    train_somehow(small)
    z, model = torch.tensor([[1.0, -1.0, 0.5]]), small.scorer.language_model
    ids, mask = small.texts.prompts(["a b c"])
    with torch.no_grad():
        log_p = (model.hidden(ids, mask, z)[0, -1] @ model.head.T).log_softmax(-1)
        log_r = (model.reference_hidden(ids, mask)[0, -1] @ model.head.T).log_softmax(-1)
    exact, spread = float((log_p.exp() * (log_p - log_r)).sum()), float((log_p - log_r).std())
    assert exact > 0.05
    torch.manual_seed(1)
    drawn = draw(small, z.expand(4000, -1), ["a b c"] * 4000, 1)
    assert (drawn.tokens == 1).all()
    assert_allclose(drawn.log_ratio.mean(), exact, atol=6 * spread / 4000**0.5)


def test_a_drawn_answer_is_scored_alike_beside_a_longer_prompt(small):
    train_somehow(small)
    z = torch.tensor([[1.0, -1.0, 0.5]])
    torch.manual_seed(2)
    alone = draw(small, z, ["a"], 1)
    model = small.scorer.language_model
    ids, mask = small.texts.prompts(["a", "b c d e f"])
    hidden = model.hidden(ids, mask, z.expand(2, -1))[0, -1] @ model.head.T
    reference = model.reference_hidden(ids, mask)[0, -1] @ model.head.T
    ratios = (hidden.log_softmax(-1) - reference.log_softmax(-1)).detach().numpy()
    assert np.abs(ratios - alone.log_ratio[0]).min() < 1e-4


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """Folders that say which choices they are about; the stand-in is opened in their place."""
    folder: Path = tmp_path_factory.mktemp("runs")
    config = {
        "source": {"class_path": "fsa.choices.sandbox.Sandbox", "init_args": ARGUMENTS},
        "splits": {
            "class_path": "fsa.choices.splits.Splitter",
            "init_args": {"by": "both", "fractions": [0.4, 0.1, 0.5]},
        },
        "seed": 0,
    }
    for name, only in (("np-0", None), ("np-1", None), ("pooled", None), ("dedicated", "long")):
        (folder / name).mkdir()
        (folder / name / "config.yaml").write_text(json.dumps({**config, "only_group": only}))
    return folder


@pytest.fixture
def asked(runs, tmp_path, monkeypatch):
    """The recipe on stand-ins."""
    monkeypatch.setattr(recipe, "Policy", StandIn)
    monkeypatch.setattr(sys, "argv", ["generations", "--run", "a *"])

    def ask(*run: str, **more: object) -> Report:
        known = {"context_sizes": [0, 1, 8], "people": 3, "prompts": 10, "distance_answers": 0}
        options = known | {"out": str(tmp_path / "report")} | more
        return recipe.generations(list(run), **options)

    return ask


def test_a_policy_that_follows_moves_every_group_towards_it_and_reversed_away(runs, asked, tmp_path):
    report = asked(f"NP={runs}/np-*", pooled=str(runs / "pooled"), unseen=["long+cheerful"])
    found = {(r.method, r.slice_name, r.group, r.metric, r.context_size): r for r in report.rows}
    for group in (*TYPES, "worst", "all"):
        assert found["NP", "", group, "movement", 8].low > 0
        assert found["NP", "", group, "reversed_movement", 8].high < 0
        assert found["NP", "", group, "against_pooled_win_rate", 8].low > 0.5
        assert found["NP", "", group, "against_pooled_win_rate", 0].value == 0.5
        assert found["NP", "", group, "movement", 8].seeds == 2
    assert found["NP", "", "all", "movement", 8].n == 4 * 3 * 10
    assert found["pooled", "", "all", "against_reference_win_rate", 0].value == 0.5
    assert ("pooled", "", "all", "movement", 8) not in found
    assert found["NP", "unseen = long+cheerful", "worst", "own_attribute_movement", 8].low > 0
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert {"report.json", "report.md", "movement.png", "continuum.png", "side_by_side.md"} <= names
    assert "continuum.png" in (tmp_path / "report" / "report.md").read_text()
    assert Report.load(tmp_path / "report").about["command"] == "python -m eval.generations --run 'a *'"
    assert report.about["counts"]["people"] == 12


def test_a_blind_policy_moves_nobody(runs, asked):
    rows = asked(str(runs / "pooled"), continuum=False).rows
    moving = [row for row in rows if "movement" in row.metric]
    assert moving
    assert all(row.value == row.low == row.high == 0 for row in moving)


def test_a_dedicated_policy_is_asked_for_its_own_group(runs, asked):
    rows = asked(str(runs / "dedicated"), continuum=False).rows
    assert {row.group for row in rows} == {"long"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"split": "dev"}, "split must be one of"),
        ({"people": 0}, "people 1 or more"),
        ({"context_sizes": []}, "context_sizes are numbers"),
        ({"unseen": ["long"]}, "the run trained on that type"),
        ({"unseen": ["sad"]}, "'sad' is no pole"),
        ({"pooled": "nowhere"}, "no run folder there"),
    ],
)
def test_what_cannot_be_asked_is_said_before_any_work(runs, asked, changes, said):
    with pytest.raises(ConfigError, match=said):
        asked(str(runs / "np-0"), **changes)


def test_the_page_shows_every_group_and_keeps_markup_out(field, sandbox):
    written = write(Answers(StandIn(), Writing()), field, [8])
    written.given[8][0, 0, 0] = "one | two\n* <b>three"
    text = page(written, field, SandboxJudge(sandbox), "NP-DPO")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [f"## {name}" for name in TYPES]
    assert "one \\| two<br>\\* &lt;b>three" in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.replace("\\|", "").count("|") == 4 for line in tables)
    assert f"*{ATTRIBUTES[0]} " in text
