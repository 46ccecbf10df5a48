"""Files and objects of people: candidates, prompts, targets, statements, and saved persons."""

import json
import math
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
from tests.fuzz.people_oracle import asked, candidate, is_number, of_damage, of_lines, of_target
from tests.fuzz.records import Nonsense, strict_json
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
        opinion = of_lines(lines, str(path), candidate)
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
        opinion = of_lines(rows_of_jsonl(path.read_bytes(), str(path)), str(path), asked)
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
        if draw.random() < 0.05:
            text, what = text.replace('{"verb', '{"verbosity": 0.5, "verb'), what + "; a name twice"
        path = folder / "target.json"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            raw = strict_json(path.read_bytes().decode())
            opinion = of_target(raw, str(path))
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
                is_level = (is_number(level) and 0 <= level <= 1) or level in ("low", "middle", "high")
                if name not in _ATTRIBUTES or not is_level:
                    why = f"{name} is {level!r:.40}"
        opinion = Opinion("nonsense", why) if why else Opinion("sound")

        def work() -> Any:
            # The bank's texts are no numbers, which this model reads: what they say is checked all the same.
            return self.bank.evidence(stated)

        def is_same(evidence: Any) -> str:
            total = sum(weight for _, weight in evidence)
            return "" if not evidence or abs(total - 8) < 1e-9 else f"it counts as {total} choices"

        return judged(f"statement; {what}: {stated!r:.80}", opinion, came_of(work), is_same)

    def _person(self, draw: Random, folder: Path) -> Tried:
        path = folder / "ann.person.safetensors"
        before = self.person.read_bytes()
        if draw.random() < 0.5:
            content, what = damaged_bytes(draw, before)
            path.write_bytes(content)
            opinion = of_damage(content, before, path)
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
                why = "" if name.startswith(("mixture.", "memory.", "factor", "seen")) else f"{name} is gone"
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
