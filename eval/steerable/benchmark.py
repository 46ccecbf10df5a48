"""What `eval.steerable` measures on: labelled probes to learn from and to test on, and sets of targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fsa.errors import ChoiceDataError
from fsa.judge.labelled import read_labelled
from fsa.judge.mic import read_mic
from fsa.judge.scores import Labelled
from fsa.judge.target import LEVELS, AlignmentTarget
from fsa.seeding import stable_hash

_TRAIN = ("steerable_train.json", "train.json")
_TEST = ("steerable_eval.json", "eval.json")

Sets = Mapping[str, Sequence[AlignmentTarget]]


@dataclass(frozen=True)
class Benchmark:
    """Labelled probes of one data set.

    Attributes:
        name: In reports.
        train: To learn from, or to show as examples; shares no prompt with `test`.
        test: To measure on.
        dropped: Probes of the train file whose prompt is tested.
    """

    name: str
    train: list[Labelled]
    test: list[Labelled]
    dropped: int

    @property
    def attributes(self) -> tuple[str, ...]:
        """What the labels are of."""
        return self.test[0].labels.attributes


def benchmark(data: str, limit: int | None = None) -> Benchmark:
    """A benchmark from a folder of a train and a test file, or from a `MIC.csv`, whose prompts are halved.

    Args:
        data: A folder with `steerable_train.json` and `steerable_eval.json` (or `train.json` and
            `eval.json`), or a CSV file.
        limit: Test probes kept, from the first; None keeps all.

    Raises:
        ChoiceDataError: A file is missing or not what it should be.
    """
    path = Path(data).expanduser()
    if path.suffix == ".csv":
        probes = read_mic(path)
        # By the prompt's own hash: the same halves on every machine, whatever else is in the file.
        is_train = [stable_hash(str(each.probe.prompt)) % 2 == 0 for each in probes]
        train = [each for each, here in zip(probes, is_train, strict=True) if here]
        test = [each for each, here in zip(probes, is_train, strict=True) if not here]
    else:
        train, test = (read_labelled(_file(path, names)) for names in (_TRAIN, _TEST))
    if not test:
        raise ChoiceDataError(f"{data}: must hold a probe to test on, came none")
    tested = {str(each.probe.prompt) for each in test}
    kept = [each for each in train if str(each.probe.prompt) not in tested]
    return Benchmark(path.stem.lower(), kept, test[:limit], len(train) - len(kept))


def target_sets(
    names: Sequence[str], attributes: Sequence[str], count: int, seed: int
) -> dict[str, Sequence[AlignmentTarget]]:
    """Sets of targets, each reported as one number: the mean over its targets.

    Args:
        names: "high" and "low" (all attributes at 1, at 0), "sampled" (`count` targets of each size),
            "single" (one attribute at each level; every attribute alone and all together), or JSON files.
        attributes: What targets are about.
        count: Sampled targets of each size.
        seed: Of the samples.

    Raises:
        ConfigError: A file is no target, or names something else.
    """
    sets: dict[str, Sequence[AlignmentTarget]] = {}
    for name in names:
        if name in ("high", "low"):
            sets[name] = [getattr(AlignmentTarget, name)(attributes)]
        elif name == "sampled":
            for size in range(1, len(attributes) + 1):
                words = f"{size} attribute{'s' if size > 1 else ''}"
                sets[words] = AlignmentTarget.sampled(attributes, size, count, seed)
        elif name == "single":
            alone = {one: [AlignmentTarget({one: level}) for level in LEVELS] for one in attributes}
            sets |= {f"{one} alone": targets for one, targets in alone.items()}
            sets["each alone"] = [target for targets in alone.values() for target in targets]
        else:
            target = AlignmentTarget.from_file(name)
            target.check(attributes)
            sets[Path(name).stem] = [target]
    return sets


def _file(folder: Path, names: Sequence[str]) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise ChoiceDataError(f"{folder}: must be a folder with {' or '.join(names)}, came no such file")
