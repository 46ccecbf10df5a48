"""`fsa score`: candidates in, the same candidates with rewards and ranks out."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fsa import RewardModel
from fsa.cli.main import main
from fsa.cli.score import score
from fsa.errors import ChoiceDataError
from tests.factories.lines import jsonl
from tests.factories.reward_models import (
    choices_of,
    numbers,
    part,
    small_model,
    text,
    text_choices_of,
    text_model,
)


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A saved model over two numbers, and choices of two people."""
    small_model().save_pretrained(tmp_path / "run")
    people = [{"user": f"u{i}", **choice} for i in range(2) for choice in choices_of(i, 4)]
    jsonl(tmp_path / "people.jsonl", people)
    jsonl(tmp_path / "person.jsonl", people[:4])
    return tmp_path / "run"


def scored(
    run: Path, candidates: list[Any], people: str = "person.jsonl", **options: Any
) -> list[dict[str, Any]]:
    """Answers to some candidates."""
    folder = run.parent
    given = jsonl(folder / "candidates.jsonl", candidates)
    score(str(run), str(folder / people), given, out=str(folder / "answers.jsonl"), **options)
    return read(folder / "answers.jsonl")


def test_the_command_gives_in_a_new_process_what_the_library_gives_here(bert, tmp_path, monkeypatch):
    rewards = text_model(bert)
    rewards.save_pretrained(tmp_path / "run")
    choices = {f"u{i}": text_choices_of(i, 2 + i) for i in range(3)}
    people = [{"user": user, **choice} for user, mine in choices.items() for choice in mine]
    candidates = [
        {"user": user, "prompt": text(70), "response": text(80 + i), "id": i}
        for i in range(3)
        for user in ("u2", "u0", "u1")
    ]
    entry = Path(sys.executable).with_name("fsa")
    command = [
        str(entry), "score", "--model", str(tmp_path / "run"),
        "--choices", jsonl(tmp_path / "people.jsonl", people),
        "--candidates", jsonl(tmp_path / "candidates.jsonl", candidates),
    ]  # fmt: skip
    # Features too are computed anew.
    environment = os.environ | {"FSA_CACHE": str(tmp_path / "other"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [{name: row[name] for name in candidates[0]} for row in answers] == candidates
    for user, mine in choices.items():
        here = rewards.for_user(mine).score(text(70), [text(80 + i) for i in range(3)]).reward
        there = [row["reward"] for row in answers if row["user"] == user]
        assert there == pytest.approx(here.tolist(), rel=0, abs=1e-6)


def test_answers_are_candidates_in_their_order_with_all_their_fields(run):
    candidates = [
        {"prompt": "", "response": list(numbers(i)[0]), "id": i, "note": {"Zoë": [1, None]}} for i in range(5)
    ]
    answers = scored(run, candidates)
    assert [{name: row[name] for name in candidates[0]} for row in answers] == candidates
    assert {*answers[0]} == {*candidates[0], "user", "reward", "stderr", "low", "high", "rank"}
    assert all(row["user"] == "u0" and row["stderr"] is None for row in answers)
    rewards = RewardModel.from_pretrained(run).for_user(choices_of(0, 4))
    expected = rewards.score("", [row["response"] for row in candidates]).reward
    assert [row["reward"] for row in answers] == pytest.approx(expected.tolist())


def test_a_handful_of_choices_leaves_no_table_in_the_cache(run, own_cache):
    scored(run, [{"response": [0.1, 0.2]}])
    assert not (own_cache / "choices").exists()


def test_ranks_are_within_a_prompt_and_a_user_and_equal_rewards_share_the_better(run):
    a, b = map(list, numbers(1))
    candidates = [
        {"user": user, "prompt": prompt, "response": response}
        for user in ("u0", "u1")
        for prompt in ("p", "q")
        for response in (a, b, a, b, [9.0, 9.0])
    ]
    answers = scored(run, candidates, "people.jsonl")
    for start in range(0, 20, 5):
        part_of = answers[start : start + 5]
        better = [sum(other["reward"] > row["reward"] for other in part_of) for row in part_of]
        assert [row["rank"] for row in part_of] == [1 + count for count in better]
        assert part_of[0]["rank"] == part_of[2]["rank"]
        assert {row["rank"] for row in part_of} in ({1, 2, 4}, {1, 3, 4}, {1, 3, 5})
    assert answers[0]["reward"] != answers[10]["reward"]  # two people differ
    assert [row["reward"] for row in answers[:5]] == [row["reward"] for row in answers[5:10]]


def test_chats_are_one_prompt_whatever_the_order_of_their_keys(bert, tmp_path):
    text_model(bert).save_pretrained(tmp_path / "run")
    jsonl(tmp_path / "person.jsonl", [{"user": "u", **choice} for choice in text_choices_of(0, 2)])
    prompts = [[{"role": "user", "content": "w1"}], [{"content": "w1", "role": "user"}]]
    replies = [[{"role": "assistant", "content": f"w{i} w9"}] for i in range(2)]
    answers = scored(
        tmp_path / "run", [{"prompt": p, "response": r} for p, r in zip(prompts, replies, strict=True)]
    )
    assert sorted(row["rank"] for row in answers) == [1, 2]


def test_numbers_need_no_prompt_and_a_spread_gives_a_stderr(run):
    small_model(encoder=part("encoders.deep_set.DeepSet", spread=True)).save_pretrained(run)
    answers = scored(run, [{"response": [0.5, 1]}, {"response": [1, 0.5]}])
    assert all(row["stderr"] > 0 for row in answers)
    assert all(row["low"] < row["reward"] < row["high"] for row in answers)
    assert sorted(row["rank"] for row in answers) == [1, 2]


def test_unknown_users_are_scored_as_unknown_people_and_named(run):
    candidates = [{"user": user, "response": list(option)} for user in ("who", "u0") for option in numbers(2)]
    with pytest.warns(UserWarning, match="1 users of candidates have no choices .* who"):
        answers = scored(run, candidates, "people.jsonl")
    unknown = RewardModel.from_pretrained(run).for_user([]).score("", numbers(2)).reward
    assert [row["reward"] for row in answers[:2]] == pytest.approx(unknown.tolist())


BAD = [
    ({"prompt": "", "response": [0, 1]}, "user is missing; the choices are those of 2 users"),
    ({"user": 3, "prompt": "", "response": [0, 1]}, "user must be a text, came 3"),
    ({"user": "u0", "prompt": ""}, "response is missing"),
    ({"user": "u0", "response": "hello"}, "prompt is missing"),
    ({"user": "u0", "prompt": 4, "response": [0, 1]}, "prompt must be a text"),
    ({"user": "u0", "prompt": "", "response": None}, "response must be a text"),
    ({"user": "u0", "prompt": "", "response": True}, "response must be a text"),
    ('{"user": "u0", "prompt": "", "response": [0, NaN]}', "numbers must be finite"),
    ('{"user": "u0", "prompt": ', "the line ends early"),
    ("[1, 2]", "candidate must be an object"),
]


@pytest.mark.parametrize(("bad", "said"), BAD)
def test_a_bad_candidate_is_named_by_file_and_line_or_skipped(run, bad, said):
    good = {"user": "u0", "prompt": "", "response": [0, 1]}
    with pytest.raises(ChoiceDataError, match=rf"candidates\.jsonl:2: .*{said}"):
        scored(run, [good, bad, good], "people.jsonl")
    assert not (run.parent / "answers.jsonl").exists()
    with pytest.warns(UserWarning, match=rf"left out 1 bad candidates:\s+.*candidates\.jsonl:2: .*{said}"):
        answers = scored(run, [good, bad, good], "people.jsonl", on_bad_record="skip")
    assert len(answers) == 2


def test_no_candidate_at_all_is_an_error(run):
    with pytest.raises(ChoiceDataError, match=r"candidates\.jsonl:1: must hold at least one candidate"):
        scored(run, [])


def command_line(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["fsa", *arguments])
    main()


def test_the_command_writes_to_the_screen_or_to_a_file(run, monkeypatch, capsys):
    candidates = jsonl(run.parent / "candidates.jsonl", [{"response": [0, 1]}, {"response": [1, 0]}, "{"])
    asked = ["score", "--model", str(run), "--choices", str(run.parent / "person.jsonl")]
    asked += ["--candidates", candidates, "--on-bad-record", "skip"]
    with pytest.warns(UserWarning, match="left out 1 bad candidates"):
        command_line(monkeypatch, *asked)
    shown = capsys.readouterr().out
    assert [json.loads(line)["response"] for line in shown.splitlines()] == [[0, 1], [1, 0]]
    with pytest.warns(UserWarning, match="left out 1 bad candidates"):
        command_line(monkeypatch, *asked, "--out", str(run.parent / "new" / "answers.jsonl"))
    assert (run.parent / "new" / "answers.jsonl").read_text() == shown
    assert capsys.readouterr().out == ""


def test_the_command_says_what_is_wrong_in_one_line(run, monkeypatch, capsys):
    people = jsonl(run.parent / "bad.jsonl", [{"user": "u0", "options": [[0, 1], [1, 0]], "chosen": 7}])
    asked = ["score", "--model", str(run), "--choices", people, "--candidates", people]
    with pytest.raises(SystemExit) as stopped:
        command_line(monkeypatch, *asked)
    assert stopped.value.code == 1
    assert capsys.readouterr().err.startswith(f"error: {people}:1: chosen must be")


def test_the_command_stops_at_an_unknown_option(run, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        command_line(monkeypatch, "score", "--model", str(run), "--choises", "x")
    assert "choises" in capsys.readouterr().err
