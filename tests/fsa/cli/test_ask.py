"""`fsa ask`, driven through a pseudo-terminal by somebody of known taste."""

import json
import math
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from fsa.cli.ask import ask
from fsa.cli.main import main
from fsa.errors import ChoiceDataError, OutputError
from fsa.features.projection import Projection
from fsa.outputs.reward_model import RewardModel
from tests.factories.reward_models import part, small_model

TEXTS = [" ".join(["word"] * count) + "." for count in (1, 3, 8, 20, 60)]


def length_model() -> RewardModel:
    """People differ in how long they like texts; everybody together likes no length more."""
    plain = {"num_components": None, "extras": []}
    parts = {
        "d_feature": 1,
        "d_belief": 1,
        "encoder": part("encoders.taste_posterior.TastePosterior", components=2, units=0),
        "scorer": part("models.taste_reward.TasteReward", units=0),
        "features": part("features.measured.Measured", names=["log_length"]),
        "projection": part("features.projection.Projection", **plain),
    }
    projection = Projection(**plain).fit(np.array([[0.0], [6.0]], np.float32), TEXTS[:2])
    model = RewardModel(small_model().config | parts, projection)
    with torch.no_grad():
        for weight in model.encoder.parameters():
            weight.zero_()
        model.encoder.taste.wide.weight.fill_(1.0)
        model.encoder.place[:, 0] = torch.tensor([-1.5, 1.5])
        model.encoder.log_std.fill_(math.log(0.5))
        model.encoder.lapse.fill_(math.log(0.05))
        model.encoder.raw_rate.fill_(-30)
    return model


def candidates(folder: Path, prompts=("Tea?", "Cake?")) -> Path:
    rows = [{"prompt": prompt, "response": text} for prompt in prompts for text in TEXTS]
    (folder / "candidates.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "candidates.jsonl"


class Terminal:
    """`fsa ask` in a pseudo-terminal."""

    def __init__(self, folder: Path, *more: str) -> None:
        length_model().save_pretrained(folder / "model")
        given = ["--model", str(folder / "model"), "--candidates", str(candidates(folder))]
        given += ["--choices", str(folder / "choices.jsonl"), *more]
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fsa.cli.main", "ask", *given],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        os.close(slave)
        self.read = 0
        self.seen = ""

    def until(self, pattern: str, seconds: float = 60) -> str:
        """What has come since the last call, up to a pattern."""
        ends = time.monotonic() + seconds
        while not (found := re.compile(pattern).search(self.seen, self.read)):
            ready, _, _ = select.select([self.master], [], [], max(0.0, ends - time.monotonic()))
            assert ready, f"no {pattern!r} in {self.seen[-800:]!r}"
            try:
                self.seen += os.read(self.master, 65536).decode()
            except OSError:  # the other side has gone
                raise AssertionError(f"ended before {pattern!r}: {self.seen[-800:]!r}") from None
        said, self.read = self.seen[self.read : found.end()], found.end()
        return said

    def say(self, text: str) -> None:
        os.write(self.master, text.encode())

    def answer_by_length(self) -> None:
        """As somebody who likes the longer text."""
        said = self.until(r"\[1, 2, q\] ")
        first, second = re.findall(r"\d\) ([^\n]*)", said)[-2:]
        self.say("1\n" if len(first.strip()) > len(second.strip()) else "2\n")


def chosen(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "choices.jsonl").read_text().splitlines()]


def test_the_ranking_turns_to_the_persons_taste(tmp_path):
    terminal = Terminal(tmp_path, "--questions", "3")
    for _ in range(3):
        terminal.answer_by_length()
    said = terminal.until(r"3 answers written to \S+")
    assert terminal.process.wait(30) == 0
    assert "Belief: this answer had a probability of" in said
    ranked = re.findall(r"\d\. [+-][\d.]+ nats  ([^\r\n(]*)", said)[-5:]
    assert [text.strip() for text in ranked] == [text[:70].strip() for text in reversed(TEXTS)]
    records = chosen(tmp_path)
    assert len(records) == 3
    for record in records:
        assert len(record["options"][record["chosen"]]) == max(map(len, record["options"]))
    # What was written is what the library reads.
    person = RewardModel.from_pretrained(tmp_path / "model").for_user(records)
    assert person.prefers("Milk?", TEXTS[4], TEXTS[0]) > 0.9


def test_ctrl_c_keeps_what_was_answered_and_it_goes_on_from_there(tmp_path):
    terminal = Terminal(tmp_path)
    terminal.answer_by_length()
    terminal.until(r"Question 2 of at most 10")
    terminal.until(r"\[1, 2, q\] ")
    time.sleep(
        0.5
    )  # an interrupt between a prompt and the read of its answer is Python's to notice, at the next key
    os.killpg(terminal.process.pid, signal.SIGINT)
    terminal.until("1 answers written to")
    assert terminal.process.wait(30) == 130
    first = chosen(tmp_path)
    assert len(first) == 1
    again = Terminal(tmp_path)
    again.answer_by_length()
    again.until(r"\[1, 2, q\] ")
    again.say("q\n")
    assert again.process.wait(30) == 0
    records = chosen(tmp_path)
    assert records[0] == first[0]
    assert len(records) == 2
    assert {*records[0]["options"], records[0]["prompt"]} != {*records[1]["options"], records[1]["prompt"]}


def test_it_ends_where_nothing_is_left_to_ask_and_asks_again_what_it_cannot_read(
    tmp_path, monkeypatch, capsys
):
    length_model().save_pretrained(tmp_path / "model")
    path = tmp_path / "candidates.jsonl"
    path.write_text('{"prompt": "a", "response": "x"}\n{"prompt": "a", "response": "longer\\u001b[2J"}\n')
    said = iter(["what?", "2"])
    monkeypatch.setattr("builtins.input", lambda _: next(said))
    ask(str(tmp_path / "model"), str(path), str(tmp_path / "c.jsonl"))
    out = capsys.readouterr().out
    assert "Nothing is left to ask." in out
    assert "1 answers written" in out
    assert "\x1b" not in out
    assert len((tmp_path / "c.jsonl").read_text().splitlines()) == 1


def test_what_cannot_be_asked_is_said_before_the_model_is_opened(tmp_path):
    path = tmp_path / "candidates.jsonl"
    path.write_text('{"prompt": "a", "response": "x"}\n')
    with pytest.raises(ChoiceDataError, match="needs two different responses"):
        ask("no model", str(path))
    with pytest.raises(OutputError, match="cannot be written"):
        ask("no model", str(candidates(tmp_path)), str(tmp_path / "no" / "folder.jsonl"))


def test_it_is_a_command_with_help(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["fsa", "ask", "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert "--candidates" in capsys.readouterr().out
