"""A language model on this machine: valid JSON from random weights, whatever the batch."""

import json
import sys

import pytest

pytest.importorskip("llguidance")

from fsa.errors import ConfigError, FeatureError
from fsa.judge.comparative import ComparativeJudge
from fsa.judge.engines.engine import Question
from fsa.judge.engines.transformers_engine import TransformersEngine
from fsa.judge.plain import PlainJudge
from fsa.judge.schema import read_scores, scores_schema
from fsa.judge.scores import Probe
from tests.factories.judges import byte_model


@pytest.fixture
def folder(tmp_path):
    return byte_model(tmp_path / "model")


def question(ask: str, letters: str = "A", seed: int = 0, max_tokens: int = 300) -> Question:
    return Question("Score.", (), ask, scores_schema(letters, 8), max_tokens, seed)


ASKS = [question("short"), question("a longer one", "AB"), question("short, too", seed=1), question("", "A")]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_random_weights_give_valid_answers_and_count_their_tokens(folder, temperature):
    replies = TransformersEngine(str(folder), temperature=temperature).ask(ASKS)
    for asked, reply in zip(ASKS, replies, strict=True):
        found, problems = read_scores(reply.text, list(asked.schema["properties"]), 8)
        # Random weights may write a blank reasoning: that is a problem, and the JSON is valid all the same.
        assert set(problems) <= {"no reasoning"}
        assert found or problems
        json.loads(reply.text)
        assert reply.problem is None
        assert reply.prompt_tokens == len(asked.plain().encode())  # one token a byte
        assert reply.generated_tokens == len(reply.text.encode()) + 1  # and the end
        assert reply.requests == 1


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_an_answer_does_not_depend_on_its_batch(folder, temperature):
    together = TransformersEngine(str(folder), batch_size=8, temperature=temperature).ask(ASKS)
    alone = TransformersEngine(str(folder), batch_size=1, temperature=temperature)
    assert [alone.ask([asked])[0] for asked in reversed(ASKS)][::-1] == together


def test_samples_differ_by_seed_and_only_by_it(folder):
    engine = TransformersEngine(str(folder), temperature=1.0)
    first, second, other = engine.ask([question("x", seed=seed) for seed in (3, 3, 4)])
    assert first == second
    assert first.text != other.text


def test_what_samples_share_is_computed_once(folder):
    engine = TransformersEngine(str(folder))
    probe = Probe("p", "prompt " * 20, ("one", "two"))
    PlainJudge(engine, ["care"], max_reasoning=4).score([probe])
    shared_once = engine._prefixes.computed
    judge = PlainJudge(engine, ["care"], max_reasoning=4, samples=5)
    judge.score([probe])
    # Five times as many answers to the same two prompts, and not one prompt token more than a suffix each.
    assert engine._prefixes.computed - shared_once < 2 * 40
    assert judge.cost.prompt_tokens > 10 * 140


def test_an_answer_without_an_end_is_truncated(folder):
    reply, whole = TransformersEngine(str(folder)).ask([question("x", max_tokens=20), question("x")])
    assert reply.problem == "truncated"
    assert whole.problem is None  # though they were written side by side


def test_a_prompt_without_room_for_its_answer_is_a_problem_and_costs_nothing(folder):
    long, short = TransformersEngine(str(folder)).ask([question("x" * 4000), question("x")])
    assert (long.text, long.problem, long.requests) == (None, "prompt too long", 0)
    assert short.problem is None


def test_a_chat_template_is_used_where_there_is_one(tmp_path):
    engine = TransformersEngine(str(byte_model(tmp_path / "chat", chat=True)))
    chat = "<system>Score.\n<user>hello\n<assistant>"
    assert engine.ask([question("hello")])[0].prompt_tokens == len(chat)


def test_a_template_without_a_system_turn_gets_the_instructions_with_the_question(tmp_path):
    folder = byte_model(tmp_path / "chat", chat=True)
    strict = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    template = folder / "chat_template.jinja"
    template.write_text(strict + template.read_text())
    (reply,) = TransformersEngine(str(folder)).ask([question("hello")])
    assert reply.prompt_tokens == len("<user>Score.\n\nhello\n<assistant>")


def test_the_whole_judge_runs_on_random_weights(folder):
    probes = [Probe(str(i), f"prompt {i}", (f"one {i}", f"two {i}", "three")) for i in range(3)]
    judge = ComparativeJudge(TransformersEngine(str(folder)), ["care", "verbosity"], max_reasoning=12)
    scores = judge.score(probes)
    assert all(each.mean.shape == (3, 2) for each in scores)
    assert sum(each.is_complete for each in scores) >= 2  # the third may have a blank reasoning
    assert judge.cost.requests == 3 * 2


def test_without_llguidance_the_error_names_the_extra(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "llguidance", None)
    with pytest.raises(ConfigError, match=r'pip install "fsa\[judge\]"'):
        TransformersEngine(str(folder)).ask([question("x")])


def test_wrong_arguments_are_refused():
    with pytest.raises(ConfigError, match="batch_size must be >= 1"):
        TransformersEngine("gemma-270m", batch_size=0)
    with pytest.raises(FeatureError):
        TransformersEngine("not/a/model/at/all").ask([question("x")])
