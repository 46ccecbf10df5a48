"""Command lines with odd values, run in this process: training, evaluation, scoring, fitting, serving, keys."""
# ruff: noqa: E501 - tables of odd values read best with many a line

import json
import re
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.commands import CONFIG, command, lines
from tests.fuzz.training_data import train_small
from tests.fuzz.trying import Opinion, Target, Tried, came_of_command, judged

# What may be given: whole numbers or numbers from (or above) one value to another, or words.
_TRAIN: dict[str, tuple[Any, ...]] = {
    "d_belief": ("whole", 1, 1000), "num_samples": ("whole", 1, 1000), "seed": ("whole", 0, 1000),
    "episodes.max_context": ("whole", 0, 1000), "episodes.max_targets": ("whole", 1, 1000),
    "episodes.users_per_step": ("whole", 1, 1000), "episodes.validation_episodes": ("whole", 1, 1000),
    "episodes.num_workers": ("whole", 0, 0), "loop.max_steps": ("whole", 1, 3), "loop.validate_every": ("whole", 1, 10**9),
    "loop.patience": ("whole", 0, 1000), "loop.accumulate": ("whole", 1, 3), "loop.num_nodes": ("whole", 1, 1),
    "loop.clip": ("number", 0, 1e6), "loop.checkpoint_every": ("whole", 1, 10**9), "splits.seed": ("whole", 0, 1000),
    "optimizer.lr": ("number", 0, 0.1), "optimizer.weight_decay": ("number", 0, 1), "optimizer.warmup": ("number", 0, 1),
    "splits.turn": ("number", 0, 1), "loop.average": ("number", 0, 0.999),
    "optimizer.schedule": ("word", "cosine", "constant"), "splits.by": ("word", "prompt", "user", "both", "record"),
    "loop.accelerator": ("word", "auto", "cpu"), "loop.precision": ("word", "32-true"),
    "source.on_bad_record": ("word", "stop", "skip"), "loop.progress": ("word", "true", "false"),
    "source.class_path": ("word", "fsa.choices.jsonl.Jsonl"), "encoder": ("word", "fsa.encoders.no_context.NoContext"),
    "likelihood": ("word", "fsa.likelihoods.btl.BradleyTerryLuce"),
    "episodes.context_sizes": ("list", 0, 1000),
}  # fmt: skip
_EVALUATE: dict[str, tuple[Any, ...]] = {
    "episodes": ("whole", 1, 1000), "seed": ("whole", 0, 1000), "max_targets": ("whole", 1, 1000),
    "context_sizes": ("list", 0, 1000), "split": ("word", "test", "validation", "train"),
}  # fmt: skip
_SERVE: dict[str, tuple[Any, ...]] = {
    "port": ("whole", 0, 65535), "workers": ("whole", 1, 64), "max_batch": ("whole", 1, 10**6),
    "max_queue": ("whole", 1, 10**6), "max_body_bytes": ("whole", 1000, 10**9), "max_tokens": ("whole", 1, 10**6),
    "max_wait_ms": ("number", 0, 60_000),
}  # fmt: skip
_GENERATE: dict[str, tuple[Any, ...]] = {
    "max_new_tokens": ("whole", 1, 10**6), "batch_size": ("whole", 1, 10**6), "on_bad_record": ("word", "stop", "skip"),
    "do_sample": ("word", "true", "false"), "temperature": ("number", 1e-6, 1e3),
}  # fmt: skip
_FIT: dict[str, tuple[Any, ...]] = {
    "folds": ("whole", 1, 60), "seed": ("whole", 0, 1000), "smallest_gap": ("number", 0, 1e6),
    "overwrite": ("word", "true", "false"),
}  # fmt: skip
VALUES = [
    "0", "1", "2", "3", "-1", "-2", "7", "0.5", "1.5", "-0.5", "1e-3", "1e400", "-1e400", "nan", "inf", "-inf", "NaN", ".nan",
    ".inf", "x", "", " ", "null", "true", "yes", "[]", "[0]", "[1]", "[0,1]", "0,1", "[0,0]", "[-1]", "[x]", "[nan]", "{}", "{a: 1}",
    "99999999999999999999", "-99999999999999999999", "1" * 400, "1_000", "0x10", "1:30", "1.0", "٣", "é", "a b", "--", "-", "[", "{",
    "'", '"', "!!python/object/apply:os.system [ls]", "&a [*a]", "os.system", "fsa.errors.FsaError", "cosine", "prompt", "user",
    "cpu", "tpu", "test", "zz", "skip", "32-true", "16-true", "fsa.encoders.no_context.NoContext", "fsa.choices.jsonl.Jsonl",
    "2023-01-01", "\x1b[2J", "~", "@", "%s", "a" * 5000, "../..", "/dev/null",
]  # fmt: skip


class CommandLines(Target):
    """Odd values of options, options that there are not, and names of files that are none."""

    name, cases = "commands", 500

    def prepare(self, folder: Path) -> None:
        self.run = train_small(folder / "trained")
        self.choices = folder / "choices.jsonl"
        rows = [{"user": "u0", "prompt": "p", "response": [i / 2, 0.5]} for i in range(4)]
        self.candidates = lines(folder / "candidates.jsonl", rows)

    def attack(self, draw: Random, folder: Path) -> Tried:
        kind = draw.choices(
            ["train", "evaluate", "serve", "generate", "fit", "files", "unknown"], [35, 15, 10, 10, 5, 20, 5]
        )[0]
        tried: Tried = getattr(self, f"_{kind}")(draw, folder)
        return tried

    def _option(self, draw: Random, table: dict[str, tuple[Any, ...]]) -> tuple[str, str, Opinion]:
        name = draw.choice(sorted(table))
        value = draw.choice(VALUES)
        why = nonsense(value, table[name])
        if not why:
            return name, value, Opinion("unsure")
        return name, value, Opinion("nonsense", f"{name} = {value!r}: {why}", (), _named(name))

    def _train(self, draw: Random, folder: Path) -> Tried:
        name, value, opinion = self._option(draw, _TRAIN)
        if opinion.kind != "nonsense" and _is_long(name, value):
            name, value = "loop.max_steps", "2"
        given = {
            "source.path": str(self.choices), "features.class_path": "fsa.features.numeric.Numeric",
            "features.width": "2", "projection.num_components": "null", "projection.extras": "[]",
            "loop.max_steps": "2", "loop.validate_every": "2", "loop.progress": "false", "loop.accelerator": "cpu",
            "loop.devices": "1", "out": str(folder / "run"), name: value,
        }  # fmt: skip
        ended = command("train.reward", "--config", CONFIG, *(f"--{n}={v}" for n, v in given.items()))
        return judged(f"train.reward --{name}={value!r:.80}", opinion, came_of_command(ended))

    def _evaluate(self, draw: Random, folder: Path) -> Tried:
        name, value, opinion = self._option(draw, _EVALUATE)
        given = {"run": str(self.run), "out": str(folder / "eval"), "episodes": "20", name: value}
        ended = command("fsa", "evaluate", *(f"--{n}={v}" for n, v in given.items()))
        return judged(f"fsa evaluate --{name}={value!r:.80}", opinion, came_of_command(ended))

    def _serve(self, draw: Random, folder: Path) -> Tried:
        name, value, opinion = self._option(draw, _SERVE)
        if opinion.kind != "nonsense":  # it would serve until told to stop
            name, value = (
                "store",
                draw.choice(["x", "mysql://a/b", "sqlite:///" + str(folder), "postgresql://", " "]),
            )
            opinion = Opinion("nonsense", "it is no database")
        given = {"model": str(self.run), "port": "0", name: value}
        ended = command("fsa", "serve", *(f"--{n}={v}" for n, v in given.items()))
        return judged(f"fsa serve --{name}={value!r:.80}", opinion, came_of_command(ended))

    def _generate(self, draw: Random, folder: Path) -> Tried:
        name, value, opinion = self._option(draw, _GENERATE)
        prompts = lines(folder / "prompts.jsonl", [{"prompt": "Hi", "user": "u0"}])
        given = {
            "model": str(folder / "no"),
            "choices": str(self.choices),
            "prompts": str(prompts),
            name: value,
        }
        if opinion.kind != "nonsense":  # there is no such model
            opinion = Opinion("nonsense", "there is no such model")
        ended = command("fsa", "generate", *(f"--{n}={v}" for n, v in given.items()))
        return judged(f"fsa generate --{name}={value!r:.80}", opinion, came_of_command(ended))

    def _fit(self, draw: Random, folder: Path) -> Tried:
        name, value, opinion = self._option(draw, _FIT)
        if opinion.kind != "nonsense":  # it would train for a minute
            name = "columns"
            value = draw.choice(
                ["x", "[]", "{a: b}", "{user: zz}", "{user: [}", "3", "{options: [a, b]}", "{chosen: 3}"]
            )
            opinion = Opinion("nonsense", "it maps what is not there")
        given = {"out": str(folder / "fit"), name: value}
        ended = command("fsa", "fit", self.choices, *(f"--{n}={v}" for n, v in given.items()))
        return judged(f"fsa fit --{name}={value!r:.80}", opinion, came_of_command(ended))

    def _files(self, draw: Random, folder: Path) -> Tried:
        """`fsa score` with names of files that are there, and names that are not."""
        odd = [
            "", " ", "/dev/null", "/dev/zero", str(folder), str(folder / "no"), "\x01", "a" * 300, "a/" * 2000, "~nobody/x",
            "http://127.0.0.1:9/x", "owner/name/more", "..", "/proc/self/mem", "/", "-", str(self.run), "*", "[", "é\u202e",
        ]  # fmt: skip
        given = {"model": str(self.run), "choices": str(self.choices), "candidates": str(self.candidates)}
        name = draw.choice([*given, "out", "nothing"])
        value = draw.choice(odd)
        if name == "nothing":
            opinion = Opinion("sound")
        elif name == "out":
            given["out"] = value = draw.choice(
                [str(folder / "x" / "y.jsonl"), str(folder), "/proc/x", "", "/dev/full", "/dev/null"]
            )
            is_fine = value in ("/dev/null", str(folder / "x" / "y.jsonl"))
            opinion = Opinion("sound") if is_fine else Opinion("nonsense", "nothing can be written there")
        else:
            given[name] = value
            is_right = name == "model" and value == str(self.run)
            opinion = Opinion("sound") if is_right else Opinion("nonsense", "there is no such file")
        ended = command("fsa", "score", *(f"--{n}={v}" for n, v in given.items()))
        (folder / "given.json").write_text(json.dumps(given))
        return judged(f"fsa score --{name}={value!r:.80}", opinion, came_of_command(ended))

    def _unknown(self, draw: Random, folder: Path) -> Tried:
        """Commands and options that there are not, and those that lack what they need."""
        words = draw.choice([
            ["fsa"], ["fsa", "scor"], ["fsa", ""], ["fsa", "train"], ["fsa", "train", "x"], ["fsa", "--x"], ["fsa", "score"],
            ["fsa", "score", "--model"], ["fsa", "fit"], ["fsa", "serve"], ["fsa", "judge"], ["fsa", "keys"], ["fsa", "import"],
            ["fsa", "import", "--from", "nobody", "x"], ["fsa", "import", "--from", "argilla"], ["fsa", "adapter", "--out", "x"],
            ["fsa", "train", "reward", "--config"], ["fsa", "train", "reward", "--config", str(folder)], ["fsa", "evaluate", "--run"],
            ["fsa", "train", "reward", "--resume", str(folder)], ["fsa", "train", "reward", "--sead", "1"],
            ["fsa", "import", "--from", "argilla", str(self.choices)], ["fsa", "import", "--from", "label-studio", str(self.choices)],
            ["fsa", "keys", "--store", f"sqlite:///{folder}/k.db", "--add", "a", "--scopes", "fly"],
            ["fsa", "keys", "--store", f"sqlite:///{folder}/k.db", "--revoke", "zz"],
        ])  # fmt: skip
        ended = command(*words)
        return judged(
            " ".join(words), Opinion("nonsense", "it says too little or too much"), came_of_command(ended)
        )


def nonsense(value: str, allowed: tuple[Any, ...]) -> str:
    """Why a value cannot be given; "" where it may, or where it is a matter of taste how it is read."""
    kind, *limits = allowed
    is_whole = re.fullmatch(r"-?[0-9]{1,300}", value) is not None
    is_decimal = re.fullmatch(r"-?[0-9]+\.[0-9]+|-?[0-9]+(\.[0-9]+)?e-?[0-9]+", value) is not None
    if kind == "word":
        is_other = (
            value in ("null", "~", "yes", "", " ", "1", "0") or "." in value or value.startswith(("{", "["))
        )
        is_known = value in limits or value in ("16-true", "user", "prompt", "cpu", "cosine", "skip", "test")
        return "" if is_known or is_other else "it is none of the words"
    if kind == "list":
        if value.strip() == "[]":
            return "it is empty"
        return "it holds what is no count" if value in ("[-1]", "[x]", "[nan]", "x", "-1", "nan") else ""
    if is_whole or is_decimal:
        number = float(value)
        if abs(number) > 1e300:
            return "it is beyond all numbers"
        if kind == "whole" and is_decimal:
            return "it is no whole number" if number != int(number) else ""
        if number < limits[0]:
            return f"it is below {limits[0]}"
        return ""
    words = (
        "x",
        "nan",
        "NaN",
        ".nan",
        "inf",
        "-inf",
        ".inf",
        "a b",
        "é",
        "[",
        "{",
        "[x]",
        "[]",
        "os.system",
        "zz",
        "@",
        "%s",
        "--",
    )
    return "it is no number" if value in words else ""


def _named(option: str) -> list[str]:
    return [
        option.rpartition(".")[2],
        option,
        *([f'"{option.split(".")[0]}"'] if option.endswith("class_path") else []),
    ]


def _is_long(option: str, value: str) -> bool:
    """Whether a value that may be given would keep this machine busy for minutes, or wait for other machines."""
    limits = _TRAIN[option]
    if limits[0] != "whole":
        return False
    if value in ("0x10", "1_000", "1:30"):
        return limits[2] < 1000
    return re.fullmatch(r"[0-9]{1,300}", value) is not None and int(value) > limits[2]
