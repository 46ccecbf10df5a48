"""The work of one cell: train, predict, write; and what is prepared once for all cells of a data set."""

from __future__ import annotations

import shlex
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from eval.suite.cells import PEOPLE, RUN, Cell, open_arrays, save_arrays, write_cell
from eval.suite.evaluation import EvaluationSet
from eval.suite.people import people_of
from eval.suite.plan import Plan, resolved
from fsa.features.extractor import FeatureExtractor
from fsa.outputs.item_features import ItemFeatures
from fsa.outputs.reward_model import RewardModel
from fsa.runs.components import build_parts
from fsa.runs.folder import META, about_this_run, read_json
from fsa.training.checkpoints import CHECKPOINTS
from train.reward import train_run

_ON_CPU = ("--loop.accelerator=cpu", "--loop.devices=1")
_TRUSTED = "--trust_remote_code=true"  # a suite's methods are named by the user who runs it
_KEPT = 3  # data sets in memory


@dataclass
class CellRunner:
    """Does cells, and keeps the data sets that it has seen.

    Attributes:
        plan: The suite.
        out: Its folder.
        processes: How many do cells at the same time: training seconds mean little without it.
    """

    plan: Plan
    out: Path
    processes: int = 1
    asked: dict[str, tuple[EvaluationSet, dict[str, NDArray[Any]]]] = field(default_factory=dict)

    def prepare(self, dataset: str) -> float:
        """Compute what all cells of a data set share: features (which the store keeps), and the Bayes limit.

        Returns:
            Seconds for the features; next to none where the store has them.
        """
        asking = self._asking(dataset)
        config = resolved(self.plan.arguments(self.plan.datasets[dataset]))
        extractor = build_parts(config, {"features": FeatureExtractor}, trust_remote_code=True)["features"]
        started = time.monotonic()
        ItemFeatures(asking.main.whole, extractor)
        seconds = time.monotonic() - started
        if not (path := self._bayes_path(dataset)).is_file():
            save_arrays(path, asking.bayes())
        return round(seconds, 1)

    def work(self, cell: Cell, feature_seconds: float = 0.0) -> None:
        """Train and measure one cell.

        Raises:
            FsaError: Its configuration does not work.
        """
        asking, bayes = self.of(cell.dataset)
        folder = cell.start(self.out)
        try:
            models, seconds, parameters = self._train(cell, asking, folder)
            started = time.monotonic()
            predictions, conflicts = asking.answers(models, bayes), asking.conflicting(models)
            seconds |= {"features": feature_seconds, "measure": round(time.monotonic() - started, 1)}
            about = {
                **{name: getattr(cell, name) for name in ("dataset", "method", "seed", "key", "dedicated")},
                "split": self.plan.settings.split,
                "context_sizes": list(self.plan.settings.context_sizes),
                **asking.about(),
                "accuracy": predictions.accuracy,
                "parameters": parameters,
                "seconds": seconds,
                "processes": self.processes,
                "config": dict(cell.config),
                "command": "python -m train.reward "
                + shlex.join([*cell.arguments, "--seed", str(cell.seed)]),
            }
            if not cell.dedicated:
                save_arrays(folder / PEOPLE, people_of(models[""], asking.main))
            write_cell(folder, about_this_run(**about), predictions, conflicts)
            cell.finish(self.out, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def of(self, dataset: str) -> tuple[EvaluationSet, dict[str, NDArray[Any]]]:
        """What a data set asks, and the Bayes limit of that."""
        if dataset not in self.asked:
            # Few at a time: cells come data set by data set, and some are large.
            last = dict(list(self.asked.items())[1 - _KEPT :])
            self.asked = {**last, dataset: (self._asking(dataset), open_arrays(self._bayes_path(dataset)))}
        return self.asked[dataset]

    def _asking(self, dataset: str) -> EvaluationSet:
        given = self.plan.datasets[dataset]
        config = resolved(self.plan.arguments(given))
        return EvaluationSet.of(config, self.plan.settings, given.claim, given.conflicts)

    def _bayes_path(self, dataset: str) -> Path:
        return self.out / "bayes" / f"{dataset}-{self.plan.key_of_questions(dataset)}.npz"

    def _train(
        self, cell: Cell, asking: EvaluationSet, folder: Path
    ) -> tuple[dict[str, RewardModel], dict[str, float], int]:
        models: dict[str, RewardModel] = {}
        seconds = {"prepare": 0.0, "train": 0.0}
        for group in asking.groups if cell.dedicated else [""]:
            run = folder / RUN / group
            models[group] = train(cell, run, group)
            meta = read_json(run / META)
            seconds = {name: round(value + meta["seconds"][name], 1) for name, value in seconds.items()}
        return models, seconds, int(meta["parameters"])


def train(cell: Cell, run: Path, group: str = "") -> RewardModel:
    """Train a cell's model, or that of one group, and open it from its folder as a user would."""
    only = [f"--only-group={group}"] if group else []
    train_run(run, *cell.arguments, *_ON_CPU, _TRUSTED, *only, seed=cell.seed)
    shutil.rmtree(run / CHECKPOINTS, ignore_errors=True)  # the weights are in the run; a suite has many cells
    return RewardModel.from_pretrained(run, trust_remote_code=True)
