"""On every data set of the suite: nothing crosses its split, and shuffled choices teach nothing."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from eval.suite.evaluation import EvaluationSet
from eval.suite.plan import Plan
from eval.suite.work import train
from fsa.choices.splits import NAMES
from fsa.choices.table import ChoiceTable
from fsa.recipes.measuring.runs import Settings, source_and_splits
from fsa.reports.intervals import mean_interval
from tests.factories.runs import ROOT, errors_from_chance
from tests.factories.suite import SUITE

pytestmark = pytest.mark.slow

FULL: dict[str, Any] = yaml.safe_load((SUITE / "full.yaml").read_text("utf-8"))
SETTINGS = Settings([0, 10], "test", episodes=300, max_targets=10, seed=1, trust_remote_code=True)
# Texts and people enough to be above chance; features that need no backbone.
FEWER = {"source.num_prompts": 90, "source.num_users": 280, "source.choices_per_user": 60}
TEXT = {"features": "tests.factories.features.Hashed", "projection.num_components": 24}
# Where a model of the choices as they are shows that the test would notice: one data set of each kind.
NOTICED = ("synthetic", "sandbox-types", "helpsteer2", "polis", "arguments")
SHORT = {
    "loop.max_steps": 70,
    "loop.validate_every": 70,
    "episodes.users_per_step": 32,
    "episodes.max_context": 10,
    "episodes.max_targets": 10,
    "episodes.validation_episodes": 40,
}


@pytest.fixture
def plan(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """The suite with fewer people and plain features; its real folder where it reads one."""
    monkeypatch.chdir(ROOT)
    given = FULL["datasets"][request.param]
    more: dict[str, Any] = dict(SHORT)
    more |= {"source.num_users": 400} if request.param == "synthetic" else TEXT
    more |= FEWER if request.param.startswith("sandbox") else {}
    datasets = {request.param: given | {"set": given["set"] | more}}
    folders = {}
    if given.get("data"):
        folders = {given["data"]: str(request.getfixturevalue("shared") / "data" / given["data"])}
    return Plan.of(datasets, {"NP-BTL": FULL["methods"]["NP-BTL"]}, [0], SETTINGS, folders)


every_data_set = pytest.mark.parametrize("plan", list(FULL["datasets"]), indirect=True)
# More slips are another number, not another way for outcomes to leak.
every_kind = pytest.mark.parametrize(
    "plan",
    [name for name in FULL["datasets"] if name not in ("sandbox-noise-20", "sandbox-noise-30")],
    indirect=True,
)


def texts_of(table: ChoiceTable, column: np.ndarray) -> set[str]:
    return {table.texts[int(number)].as_py() for number in np.unique(column[column >= 0])}


def units(table: ChoiceTable, dataset: str) -> dict[str, set]:
    """What no two splits may share."""
    items = table.items_used
    people = set(table.users.to_pylist())
    prompts = texts_of(table, table.prompt)
    if table.is_numeric:  # one empty prompt for everybody; a response is a number
        return {"people": people, "responses": set(table.numbers[items, 0].tolist())}
    if dataset in ("polis", "arguments"):  # people are new, and are asked what others were asked
        return {"people": people}
    found = {"prompts": prompts, "responses": texts_of(table, table.item_response[items])}
    return found if dataset == "helpsteer2" else found | {"people": people}  # its five users are known


@every_data_set
def test_nothing_that_the_split_separates_crosses_it(plan):
    ((name, dataset),) = plan.datasets.items()
    (cell,) = plan.cells()
    _, splitter = source_and_splits(cell.config, trust_remote_code=True)
    whole = EvaluationSet.of(cell.config, SETTINGS, dataset.claim).main.whole
    splits = splitter(whole)
    parts = [units(getattr(splits, split), name) for split in NAMES]
    assert all(len(found) > 4 for part in parts for found in part.values())
    for one, other in ((0, 1), (0, 2), (1, 2)):
        for unit, found in parts[one].items():
            # "I'm not sure what you're asking" may answer two prompts; no split claims to separate such.
            allowed = len(found) // 200 if unit == "responses" and name.startswith("helpsteer2") else 0
            assert len(found & parts[other][unit]) <= allowed, f"{unit} of {NAMES[one]} and {NAMES[other]}"
    if splitter.unseen:
        seen = {splits.train.groups[int(i)].as_py() for i in np.unique(splits.train.group)}
        assert not seen & set(splitter.unseen)
        assert len(seen) == 10


@every_kind
def test_from_shuffled_choices_nothing_can_be_learned(plan, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("FSA_CACHE", str(tmp_path / "cache"))
    (cell,) = plan.cells()
    ((name, dataset),) = plan.datasets.items()
    # Made-up data are others here than in the suite; the real test prompts are left alone.
    settings = replace(SETTINGS, split="validation") if dataset.data else SETTINGS
    errors = {}
    for shuffled in (True, False) if name in NOTICED else (True,):
        options = (*cell.arguments, f"--shuffle_choices={str(shuffled).lower()}")
        one = replace(cell, arguments=options, config={**cell.config, "shuffle_choices": shuffled})
        model = train(one, tmp_path / f"run-{shuffled}")
        found = EvaluationSet.of(one.config, settings, dataset.claim).answers({"": model}, {})
        for number in np.unique(found.labels["where"]):
            keep = (found.labels["where"] == number) & (found.labels["size"] == 10)
            of = found.predictions.where(keep)
            told = mean_interval(of.correct, [of.user, of.prompt])
            assert told.n >= 300
            errors[shuffled, int(number)] = errors_from_chance(told)
    assert all(abs(error) < 3.5 for (shuffled, _), error in errors.items() if shuffled)
    if name in NOTICED:
        assert errors[False, 0] > 3
