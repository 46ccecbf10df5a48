"""Work that is interrupted: how it is begun, how it goes on, what comes out, and when something is kept of it."""
# ruff: noqa: E501 - command lines read best in a line

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.commands import CONFIG, ROOT, lines
from tests.fuzz.made_choices import number_record

Command = Sequence[Any]


@dataclass(frozen=True)
class Work:
    """One command, as a person starts it and starts it again.

    Attributes:
        name: What is done.
        begin: The command, given the folder that it writes.
        kept: Pattern of the files that are there once something is kept: a checkpoint, a row, a result.
        results: Patterns of what is compared, bit for bit.
        go_on: The command after an interruption; `begin` if None.
        plain: Of a result's bytes, those that do not depend on the time of day.
        whole: What is compared, where it is no file for file.
    """

    name: str
    begin: Callable[[Path], Command]
    kept: str
    results: Sequence[str]
    go_on: Callable[[Path], Command] | None = None
    plain: Callable[[Path], bytes] = field(default=lambda path: plain_bytes(path))
    whole: Callable[[Path], dict[str, str]] | None = None

    def again(self, out: Path) -> Command:
        """What a person types after an interruption."""
        return (self.go_on or self.begin)(out)

    def is_kept(self, out: Path) -> bool:
        """Whether something is kept of the work so far."""
        try:
            return any(path.is_file() and path.stat().st_size for path in out.glob(self.kept))
        except FileNotFoundError:  # a folder was renamed while it was looked through: not yet
            return False

    def outcome(self, out: Path) -> dict[str, str]:
        """Hash of each file that is compared."""
        if self.whole is not None:
            return self.whole(out)
        found = sorted({path for pattern in self.results for path in out.glob(pattern) if path.is_file()})
        return {str(path.relative_to(out)): hashlib.sha256(self.plain(path)).hexdigest() for path in found}


def reward(folder: Path) -> Work:
    """`train.reward` in its two stages."""
    choices, steps = _numbers(folder), ("--loop.max_steps", 40, "--loop.checkpoint_every", 3)

    def begin(out: Path) -> Command:
        return ("train.reward", "--config", CONFIG, *_on_numbers(choices), *steps, "--out", out)

    return Work("train.reward", begin, "**/checkpoints/last.ckpt", _RUN, _resumed("train.reward", begin))


def policy(folder: Path) -> Work:
    """`train.policy` of a tiny language model."""
    texts, backbone = _texts(folder), folder / "llama"

    def begin(out: Path) -> Command:
        return _policy(backbone, texts, out, 12)

    return Work("train.policy", begin, "**/checkpoints/last.ckpt", _RUN, _resumed("train.policy", begin))


def fit(folder: Path) -> Work:
    """`fsa fit`, which starts anew where it was stopped."""
    choices = _numbers(folder)
    settings = [
        f"{name}={value}" for name, value in _pairs(_on_numbers(choices)) if not name.startswith("--source")
    ]
    more = [part for one in [*settings, "--loop.max_steps=20"] for part in (f"--settings={one}",)]

    def begin(out: Path) -> Command:
        return ("fsa", "fit", choices, "--out", out, "--folds", 1, *more)

    def go_on(out: Path) -> Command:
        return (*begin(out), "--overwrite", "true")

    return Work(
        "fit",
        begin,
        "**/checkpoints/last.ckpt",
        ["model.safetensors", "projection.safetensors", "metrics.csv"],
        go_on,
    )


def features(folder: Path) -> Work:
    """`train.features`, into a store of the cache."""
    texts, backbone = _texts(folder, users=150), folder / "llama"
    given = ("--source", "fsa.choices.jsonl.Jsonl", "--source.path", texts, "--features.batch_tokens", 512)

    def begin(out: Path) -> Command:
        return (
            "train.features",
            *given,
            "--features",
            "fsa.features.hidden_state.HiddenState",
            "--features.backbone",
            backbone,
        )

    return Work("features", begin, "cache/features/**/*.vectors", [], whole=_vectors)


def suite(folder: Path) -> Work:
    """`eval.suite` of three methods."""
    steps = {"loop.max_steps": 20, "loop.validate_every": 10, "episodes.validation_episodes": 20}
    data = {"source.num_users": 60, "source.choices_per_user": 20, **steps}
    plan = {
        "seeds": [0], "context_sizes": [0, 3], "episodes": 20, "max_targets": 5, "processes": 1, "timing": False,
        "reference": "NP-BTL",
        "datasets": {"synthetic": {"config": [f"{ROOT}/configs/suite/data/synthetic.yaml"], "set": data}},
        "methods": {
            "NP-BTL": {"config": [f"{ROOT}/configs/suite/method/particles.yaml"]},
            "pooled": {"config": [f"{ROOT}/configs/baseline/pooled.yaml"]},
            "VPL": {"config": [f"{ROOT}/configs/baseline/vpl.yaml"]},
        },
    }  # fmt: skip
    (folder / "suite.yaml").write_text(json.dumps(plan))

    def begin(out: Path) -> Command:
        return ("eval.suite", "--config", folder / "suite.yaml", "--out", out)

    return Work("suite", begin, "**/predictions.*", ["**/predictions.*", "**/model.safetensors"])


def steerable(folder: Path) -> Work:
    """`eval.steerable`, whose answers are written as they come."""
    draw = Random(0)
    for name, count in (("train", 40), ("eval", 60)):
        rows = []
        for i in range(count):
            responses = [" ".join(["w"] * draw.randrange(1, 40)) for _ in range(3)]
            labels = [
                {"long": min(len(one) / 80, 1.0), "short": 1 - min(len(one) / 80, 1.0)} for one in responses
            ]
            rows.append({"prompt": f"{name} {i}", "responses": responses, "labels": labels})
        (folder / f"steerable_{name}.json").write_text(json.dumps(rows))

    def begin(out: Path) -> Command:
        judges = (
            "--judge",
            f"{ROOT}/configs/judge/length.yaml",
            "--judge",
            f"noise={ROOT}/configs/judge/random.yaml",
        )
        return (
            "eval.steerable",
            *judges,
            "--data",
            folder,
            "--out",
            out,
            "--batch",
            1,
            "--targets",
            "sampled",
        )

    return Work("steerable", begin, "answers/**/*", ["answers/**/*", "report.json"])


def score(folder: Path) -> Work:
    """`fsa score` of many candidates: all of its file or none."""
    choices = _numbers(folder)
    draw = Random(1)
    rows = [
        {"user": f"u{draw.randrange(60)}", "prompt": f"q{i // 4}", "response": [draw.gauss(0, 1), 0.5]}
        for i in range(5000)
    ]
    candidates = lines(folder / "candidates.jsonl", rows)

    def begin(out: Path) -> Command:
        given = ("--choices", choices, "--candidates", candidates)
        return ("fsa", "score", "--model", folder / "model", *given, "--out", out / "scores.jsonl")

    return Work("score", begin, ".scores.jsonl.*", ["scores.jsonl"])


def adapter(folder: Path) -> Work:
    """`fsa adapter` of forty people."""
    texts = _texts(folder)

    def begin(out: Path) -> Command:
        return ("fsa", "adapter", "--model", folder / "policy", "--choices", texts, "--out", out)

    return Work(
        "adapter",
        begin,
        "*/adapter_model.safetensors",
        ["*/*.safetensors", "*/fsa.json", "*/adapter_config.json"],
    )


ALL: list[Callable[[Path], Work]] = [reward, policy, fit, features, suite, steerable, score, adapter]
_RUN = ["model.safetensors", "projection.safetensors", "metrics.csv", "population/metrics.csv"]


def prepared(folder: Path) -> list[tuple[str, Command]]:
    """What has to be made once before any of it: a language model, a policy, a reward model."""
    return [
        (
            "model",
            (
                "train.reward",
                "--config",
                CONFIG,
                *_on_numbers(_numbers(folder)),
                "--loop.max_steps",
                4,
                "--out",
                folder / "model",
            ),
        ),
        ("policy", _policy(folder / "llama", _texts(folder), folder / "policy", 2)),
    ]


def _numbers(folder: Path) -> Path:
    path, draw = folder / "numbers.jsonl", Random(0)
    if not path.exists():
        lines(
            path,
            [{**number_record(draw, f"u{user}"), "prompt": f"p{i}"} for user in range(60) for i in range(4)],
        )
    return path


def _texts(folder: Path, users: int = 40) -> Path:
    path, draw = folder / f"texts-{users}.jsonl", Random(1)
    words = ["tea", "milk", "rain", "sun", "a long walk", "sleep"]
    if not path.exists():
        rows = [
            {
                "user": f"u{user}",
                "prompt": f"What now, {i}, {user}?",
                "options": draw.sample(words, 2),
                "chosen": 0,
            }
            for user in range(users)
            for i in range(4)
        ]
        lines(path, rows)
    return path


def _on_numbers(choices: Path) -> Command:
    return (
        "--source.path", choices, "--features.class_path", "fsa.features.numeric.Numeric", "--features.width", 2,
        "--projection.num_components", "null", "--projection.extras", "[]", "--loop.validate_every", 10,
        "--loop.progress", "false", "--loop.accelerator", "cpu", "--loop.devices", 1, "--episodes.validation_episodes", 30,
    )  # fmt: skip


def _pairs(given: Command) -> list[tuple[str, Any]]:
    return list(zip(given[::2], given[1::2], strict=True))


def _policy(backbone: Path, texts: Path, out: Path, steps: int) -> Command:
    return (
        "train.policy", "--source", "fsa.choices.jsonl.Jsonl", "--source.path", texts, "--splits.by", "user",
        "--features.backbone", backbone, "--projection.num_components", 3, "--scorer", "fsa.models.policy.PolicyScorer",
        "--scorer.backbone", backbone, "--scorer.rank", 2,
        "--scorer.conditioning", "fsa.conditioning.lora_gain.LoraGain", "--d_belief", 2, "--episodes.users_per_step", 4,
        "--episodes.max_context", 2, "--episodes.max_targets", 1, "--episodes.validation_episodes", 4,
        "--episodes.context_sizes", "0,1", "--loop.max_steps", steps, "--loop.validate_every", 2,
        "--loop.checkpoint_every", 1, "--loop.progress", "false", "--loop.accelerator", "cpu", "--loop.devices", 1, "--out", out,
    )  # fmt: skip


def _resumed(module: str, begin: Callable[[Path], Command]) -> Callable[[Path], Command]:
    def go_on(out: Path) -> Command:
        return (module, "--resume", out) if (out / "config.yaml").exists() else begin(out)

    return go_on


def plain_bytes(path: Path) -> bytes:
    """A file without what depends on the day, the machine, and the name that chance gave to a run."""
    content = path.read_bytes()
    if path.suffix == ".safetensors":
        size = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + size])
        header.pop("__metadata__", None)
        return json.dumps(header, sort_keys=True).encode() + content[8 + size :]
    if path.name == "report.json":
        rows = [row for row in json.loads(content)["rows"] if row["metric"] != "cost_seconds"]
        return json.dumps(rows, sort_keys=True).encode()
    if path.suffix == ".jsonl":
        found = [json.loads(line) for line in content.splitlines()]
        return json.dumps([{**one, "cost": None} for one in found]).encode()
    return content


def _vectors(out: Path) -> dict[str, str]:
    """Hash of each vector of a feature store by its key, whoever wrote it; torn ends are skipped."""
    found = {}
    for keys in (out / "cache" / "features").rglob("*.keys"):
        width = 4 * json.loads((keys.parent / "meta.json").read_text())["width"]
        names, rows = keys.read_bytes(), keys.with_suffix(".vectors").read_bytes()
        for i in range(min(len(names) // 16, len(rows) // width)):
            vector = rows[i * width : (i + 1) * width]
            found[names[i * 16 : (i + 1) * 16].hex()] = hashlib.sha256(vector).hexdigest()
    return found
