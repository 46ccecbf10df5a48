"""Files and objects of people: candidates, prompts, targets, statements, and saved persons."""

import json
import math
import struct
from pathlib import Path
from random import Random
from typing import Any

from safetensors import safe_open
from safetensors.torch import save_file

import fsa
from fsa.choices.jsonl import Jsonl
from fsa.cli.generate import read_prompts
from fsa.judge.target import AlignmentTarget
from fsa.outputs.person_file import _digest
from tests.faults.commands import command
from tests.fuzz.choices_oracle import rows_of_jsonl
from tests.fuzz.made_choices import number_record
from tests.fuzz.odd import changed, damaged_bytes, damaged_text, odd_value
from tests.fuzz.records import ROLES, Nonsense, Unsure, strict_json
from tests.fuzz.run_folders import read_tensors
from tests.fuzz.training_data import train_small
from tests.fuzz.trying import Opinion, Target, Tried, came_of, came_of_command, judged

_ATTRIBUTES = ("log_length", "log_exclamations")


class PeopleFiles(Target):
    """What somebody may hand in beside their choices."""

    name, cases = "people", 1000

    def prepare(self, folder: Path) -> None:
        self.run, self.choices = train_small(folder / "trained"), folder / "choices.jsonl"
        self.bank = fsa.Bank.measured({"Tea?": ["Yes.", "No!!", "Perhaps, if there is milk."]}, _ATTRIBUTES)
        draw = Random(0)
        self.person = folder / "ann.person.safetensors"
        known = [number_record(draw, "ann") for _ in range(3)]
        fsa.RewardModel.from_pretrained(self.run).for_user(known).save(self.person)

    def start(self) -> None:
        self.model = fsa.RewardModel.from_pretrained(self.run)
        self.table = Jsonl(str(self.choices), cache=False).load()

    def attack(self, draw: Random, folder: Path) -> Tried:
        kinds = ["candidates", "prompts", "target", "statement", "person"]
        tried: Tried = getattr(self, "_" + draw.choices(kinds, [30, 15, 25, 10, 20])[0])(draw, folder)
        return tried

    def _candidates(self, draw: Random, folder: Path) -> Tried:
        rows: list[Any] = [
            {"user": f"u{draw.randrange(3)}", "prompt": f"p{i // 2}", "response": [i / 2, 0.5]}
            for i in range(4)
        ]
        path, what = _written(
            draw, folder / "candidates.jsonl", rows, ["user", "prompt", "response", "note", "reward"]
        )
        lines = rows_of_jsonl(path.read_bytes(), str(path))
        opinion = _of_lines(lines, str(path), _candidate)
        given = ["--model", self.run, "--choices", self.choices, "--candidates", path]

        def is_same(out: str) -> str:
            answers = [strict_json(line) for line in out.splitlines()]
            wanted = [row for _, row in lines if isinstance(row, dict)]
            if len(answers) != len(wanted):
                return f"{len(answers)} answers to {len(wanted)} candidates"
            scores = ("reward", "stderr", "low", "high", "rank")
            for answer, row in zip(answers, wanted, strict=True):
                if not math.isfinite(answer["reward"]) or not 1 <= answer["rank"] <= len(wanted):
                    return f"a reward is {answer['reward']}, a rank {answer['rank']}"
                if any(answer.get(name) != value for name, value in row.items() if name not in scores):
                    return "a field is not echoed"
            return ""

        return judged(
            f"candidates; {what}", opinion, came_of_command(command("fsa", "score", *given)), is_same
        )

    def _prompts(self, draw: Random, folder: Path) -> Tried:
        rows: list[Any] = [{"user": f"u{draw.randrange(3)}", "prompt": f"p{i}"} for i in range(3)]
        path, what = _written(draw, folder / "prompts.jsonl", rows, ["user", "prompt", "note"])
        opinion = _of_lines(rows_of_jsonl(path.read_bytes(), str(path)), str(path), _asked)
        return judged(f"prompts; {what}", opinion, came_of(lambda: read_prompts(str(path), self.table)))

    def _target(self, draw: Random, folder: Path) -> Tried:
        target: dict[str, Any] = {"verbosity": 0.25, "helpfulness": 1}
        if draw.random() < 0.6:
            target = {"levels": target, "weights": {"verbosity": 2.0}, "at_least": ["helpfulness"]}
        part = draw.choice([target, *(one for one in target.values() if isinstance(one, dict))])
        what = "as it is"
        if draw.random() < 0.9:
            what = changed(draw, part, ["levels", "weights", "at_least", "verbosity", "complexity"])[0]
        text = json.dumps(target if draw.random() < 0.95 else odd_value(draw))
        if draw.random() < 0.15:
            text, what = damaged_text(draw, text), what + "; text damaged"
        path = folder / "target.json"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            raw = strict_json(path.read_bytes().decode())
            opinion = _of_target(raw, str(path))
        except (UnicodeDecodeError, Nonsense):
            opinion = Opinion("nonsense", "it is no JSON", [str(path)])

        def is_same(found: AlignmentTarget) -> str:
            wanted = raw.get("levels", raw)
            return "" if dict(found.levels) == wanted else f"levels are {dict(found.levels)}"

        return judged(f"target; {what}", opinion, came_of(lambda: AlignmentTarget.from_file(path)), is_same)

    def _statement(self, draw: Random, folder: Path) -> Tried:
        stated: Any = {"log_length": draw.choice(["low", "high", 0.3]), "log_exclamations": "middle"}
        what = changed(draw, stated, [*_ATTRIBUTES, "politeness"])[0] if draw.random() < 0.9 else "as it is"
        if draw.random() < 0.1:
            stated = odd_value(draw)
        why = ""
        if not isinstance(stated, dict) or not stated:
            why = "it is no mapping of attributes"
        else:
            for name, level in stated.items():
                is_level = (_is_number(level) and 0 <= level <= 1) or level in ("low", "middle", "high")
                if name not in _ATTRIBUTES or not is_level:
                    why = f"{name} is {level!r:.40}"
        opinion = Opinion("nonsense", why) if why else Opinion("sound")

        def work() -> Any:
            # The bank's texts are no numbers, which this model reads: what they say is checked all the same.
            return self.bank.evidence(stated)

        def is_same(evidence: Any) -> str:
            total = sum(weight for _, weight in evidence)
            return "" if not evidence or abs(total - 1) < 1e-9 else f"it counts as {total} choices"

        return judged(f"statement; {what}: {stated!r:.80}", opinion, came_of(work), is_same)

    def _person(self, draw: Random, folder: Path) -> Tried:
        path = folder / "ann.person.safetensors"
        before = self.person.read_bytes()
        if draw.random() < 0.5:
            content, what = damaged_bytes(draw, before)
            path.write_bytes(content)
            opinion = _of_damage(content, before, path)
        else:
            what, opinion = self._forged(draw, path)

        def work() -> Any:
            person = self.model.load_person(path)
            rewards = [float(one) for one in person.score("p", [[0.1, 0.2], [0.5, -1.0]]).reward]
            person.update(number_record(Random(1), "ann"))
            return rewards

        def is_same(rewards: list[float]) -> str:
            return "" if all(map(math.isfinite, rewards)) else f"rewards are {rewards}"

        return judged(f"person; {what}", opinion, came_of(work), is_same)

    def _forged(self, draw: Random, path: Path) -> tuple[str, Opinion]:
        """A file whose checksum fits, with other tensors or choices than fsa writes."""
        with safe_open(self.person, "pt") as file:
            about = dict(file.metadata())
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        about.pop("sha256")
        why = ""
        how = draw.choice(["history", "history", "number", "shape", "gone", "tensors"])
        if how == "history":
            history = json.loads(about["history"])
            part = draw.choice([history, *history["choices"]])
            what = changed(draw, part, ["choices", "stated", "half_life", "places", "options", "prompt"])[0]
            about["history"] = json.dumps(history)
        elif how == "tensors":
            what, about["tensors"] = (
                "tensors",
                draw.choice(["[", "3", "null", '["zz"]', "[3]", "{}", '[["a"]]']),
            )
        else:
            name = draw.choice(sorted(tensors))
            what = f"{how} of {name}"
            if how == "number":
                flat = tensors[name].clone().reshape(-1)
                flat[draw.randrange(flat.numel())] = draw.choice([math.nan, math.inf, 1e300, -5.0])
                tensors[name] = flat.reshape(tensors[name].shape)
                why = "" if bool(tensors[name].isfinite().all()) else f"{name} is not finite"
            elif how == "shape":
                tensors[name] = draw.choice(
                    [tensors[name][..., :1], tensors[name].repeat(2, *[1] * (tensors[name].ndim - 1))]
                )
                tensors[name] = tensors[name].contiguous().clone()
            else:
                del tensors[name]
                about["tensors"] = json.dumps(sorted(tensors))
                why = "" if name.startswith(("mixture.", "memory.", "factor")) else f"{name} is gone"
        about["sha256"] = _digest(tensors, about)
        save_file(tensors, path, metadata=about)
        return f"forged {what}", Opinion("nonsense", why, [str(path)]) if why else Opinion("unsure")


def _written(draw: Random, path: Path, rows: list[Any], names: list[str]) -> tuple[Path, str]:
    """A JSONL file of rows, damaged in one place or none."""
    what = "as it is"
    if draw.random() < 0.85:
        what = changed(draw, draw.choice(rows), names)[0]
    if draw.random() < 0.05:
        rows.insert(draw.randrange(len(rows)), odd_value(draw))
    lines = [json.dumps(row) for row in rows]
    if draw.random() < 0.15:
        i = draw.randrange(len(lines))
        lines[i], what = damaged_text(draw, lines[i]), what + "; text damaged"
    content = ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")
    if draw.random() < 0.1:
        content, how = damaged_bytes(draw, content)
        what += "; " + how
    path.write_bytes(content)
    return path, what


def _of_lines(lines: list[tuple[str, Any]], path: str, check: Any) -> Opinion:
    """What all lines together are."""
    is_open, count, late = False, 0, ""
    bad: list[tuple[str, Nonsense]] = []
    for place, raw in lines:
        try:
            if isinstance(raw, Nonsense | Unsure):
                raise raw
            check(raw)
            count += 1
        except Unsure:
            is_open = True
        except _Late as wrong:  # the model says so, not the reader: after all lines are read
            late = wrong.args[0]
        except Nonsense as wrong:
            bad.append((place, wrong))
    if bad:
        # Lines are read as JSON first, all of them, and then looked at: any may be the one that is named.
        places = [] if is_open else [place for place, _ in bad]
        is_named = not is_open and not late and all(wrong.values for _, wrong in bad)
        values = [value for _, wrong in bad for value in wrong.values] if is_named else []
        return Opinion("nonsense", f"{bad[0][0]} {bad[0][1].why}", places, values)
    if late:
        return Opinion("nonsense", late)
    if is_open:
        return Opinion("unsure")
    return Opinion("sound") if count else Opinion("nonsense", "there is no line", [path])


class _Late(Exception):
    """What is wrong for the model alone."""


def _check_fields(raw: Any) -> None:
    if not isinstance(raw, dict):
        raise Nonsense("it is no object")
    _check_echo(raw, 0)
    if "prompt" in raw:
        _check_text(raw["prompt"], "prompt")
    if not isinstance(raw.get("user", ""), str):
        raise Nonsense("user is no text", "user")


def _asked(raw: Any) -> None:
    _check_fields(raw)
    for name in ("prompt", "user"):
        if name not in raw:
            raise Nonsense(f"{name} is missing", name)


def _candidate(raw: Any) -> None:
    _check_fields(raw)
    for name in ("response", "user"):
        if name not in raw:
            raise Nonsense(f"{name} is missing", name)
    response = raw["response"]
    if isinstance(response, list) and response and _is_number(response[0]):
        if not all(_is_number(one) and abs(one) < 1e309 and one == one for one in response):
            raise Nonsense("response holds what is no number", "response")
        if len(response) != 2:
            raise _Late("this model reads two numbers")
    elif isinstance(response, int | float) and not isinstance(response, bool):
        raise _Late("this model reads two numbers")
    else:
        _check_text(response, "response")
        raise _Late("this model reads no text")


def _check_text(value: Any, name: str) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise Nonsense(f"{name} holds a NUL", name)
        if value.startswith("\x1e"):
            raise Unsure
        return
    if not isinstance(value, list) or not value:
        raise Nonsense(f"{name} is neither text nor chat", name)
    for message in value:
        is_message = isinstance(message, dict) and set(message) == {"role", "content"}
        if not is_message or message["role"] not in tuple(ROLES) or not isinstance(message["content"], str):
            raise Nonsense(f"{name} holds what is no message", name)
    if not any(message["content"].strip() for message in value):
        raise Nonsense(f"{name} is a chat without content", name)
    raise Unsure


def _check_echo(value: Any, depth: int) -> None:
    """Refuse what no JSON line could say again."""
    if depth > 90:
        raise Nonsense("it is nested deeply")
    if isinstance(value, float) and not math.isfinite(value):
        raise Nonsense("a number is beyond all numbers")
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Nonsense("it holds half a surrogate pair")
    if isinstance(value, dict):
        for name, part in value.items():
            _check_echo(name, depth + 1)
            _check_echo(part, depth + 1)
    if isinstance(value, list):
        for part in value:
            _check_echo(part, depth + 1)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _of_target(raw: Any, path: str) -> Opinion:
    def nonsense(why: str, *values: str) -> Opinion:
        return Opinion("nonsense", why, [path], values)

    if not isinstance(raw, dict):
        return nonsense("it is no object")
    whole = raw if "levels" in raw else {"levels": raw}
    levels, weights, at_least = whole["levels"], whole.get("weights"), whole.get("at_least", [])
    if unknown := set(whole) - {"levels", "weights", "at_least"}:
        return nonsense(f"it has {unknown}")
    if not isinstance(levels, dict) or not levels:
        return nonsense("it has no levels")
    if bad := [name for name, level in levels.items() if not _is_number(level) or not 0 <= level <= 1]:
        return nonsense("a level is none", *bad)
    if weights is not None and not isinstance(weights, dict):
        return nonsense("weights are no object")
    weighed = weights or {}
    if bad := [n for n, w in weighed.items() if not _is_number(w) or not 0 < w < 1e309 or n not in levels]:
        return nonsense("a weight is none", *bad)
    if not isinstance(at_least, list) or not all(isinstance(n, str) and n in levels for n in at_least):
        return Opinion("unsure") if at_least in (None, {}) else nonsense("at_least names what has no level")
    return Opinion("sound")


def _of_damage(content: bytes, before: bytes, path: Path) -> Opinion:
    """Of a file with a checksum: anything else than what was written is refused."""
    try:
        found, about = read_tensors(content)
    except Nonsense as wrong:
        return Opinion("nonsense", wrong.why, [str(path)])
    wanted, of_it = read_tensors(before)

    def plain(tensors: Any, raw: bytes) -> Any:
        size = struct.unpack("<Q", raw[:8])[0]
        return {name: (one[0], one[1], one[3] - 8 - size) for name, one in tensors.items()}, raw[8 + size :]

    if (plain(found, content), about) == (plain(wanted, before), of_it):
        return Opinion("unsure")
    return Opinion("nonsense", "it is not what was written", [str(path)])
