"""What cells a suite comes to, and when a cell's key changes."""

import pytest
import yaml

from eval.suite.plan import resolved
from fsa.errors import ConfigError
from tests.factories.runs import ROOT
from tests.factories.suite import METHODS, SUITE, SYNTHETIC, plan_of


def key_of(name: str, **more: object) -> str:
    (cell,) = plan_of(**more).cells(name)
    return cell.key


def with_steps(method: str, steps: int) -> dict:
    changed = METHODS[method] | {"set": {**(METHODS[method].get("set") or {}), "loop.max_steps": steps}}
    return METHODS | {method: changed}


def test_a_changed_method_has_another_key_and_the_others_keep_theirs():
    changed = with_steps("NP-BTL", 61)
    assert key_of("*/NP-BTL/0") != key_of("*/NP-BTL/0", methods=changed)
    assert key_of("*/pooled/0") == key_of("*/pooled/0", methods=changed)


def test_every_seed_and_every_way_to_measure_has_its_own_key():
    keys = {cell.key for cell in plan_of(seeds=[0, 1, 2]).cells("*/pooled/*")}
    assert len(keys) == 3
    others = {"synthetic": SYNTHETIC | {"conflicts": [4]}}
    assert key_of("*/pooled/0") != key_of("*/pooled/0", datasets=others)


def test_another_version_of_the_results_gives_every_cell_another_key(monkeypatch):
    before = {cell.key for cell in plan_of().cells()}
    monkeypatch.setattr("eval.suite.plan.RESULTS_VERSION", 0)
    assert not before & {cell.key for cell in plan_of().cells()}


def test_options_of_a_method_go_over_those_of_a_data_set_and_those_over_all_files():
    datasets = {"synthetic": SYNTHETIC | {"set": {"loop.max_steps": 7, "loop.patience": 3}}}
    methods = {"dedicated": METHODS["dedicated"] | {"per_dataset": {"synth*": {"set": {"loop.patience": 4}}}}}
    (cell,) = plan_of(datasets, methods).cells()
    loop = cell.config["loop"]
    assert (loop["max_steps"], loop["patience"]) == (60, 4)  # the overlay says 400


def test_a_method_is_left_out_where_it_is_not_for_the_data():
    methods = METHODS | {"pooled": METHODS["pooled"] | {"datasets": ["sandbox-*"]}}
    assert {cell.method for cell in plan_of(methods=methods).cells()} == {"NP-BTL", "dedicated"}


def test_a_folder_becomes_the_path_of_the_source_that_asks_for_it():
    datasets = {"people": {"config": [str(SUITE / "data" / "helpsteer2.yaml")], "data": "ratings"}}
    plan = plan_of(datasets, folders={"ratings": "some/where"})
    config = resolved(plan.arguments(plan.datasets["people"]))
    assert config["source"]["init_args"]["path"] == "some/where"
    with pytest.raises(ConfigError, match=r"--data.helpsteer2: no data set .* read ratings"):
        plan_of(datasets, folders={"helpsteer2": "some/where"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"datasets": {"a": {"configs": []}}}, "datasets: a has configs; its fields are config, set"),
        ({"datasets": {"a": {"claim": "new"}}}, "claim must be one of new people, new prompts"),
        ({"methods": {"a": "pooled.yaml"}}, "methods: a should be fields such as config, came 'pooled.yaml'"),
    ],
)
def test_what_cannot_be_read_is_named(given, said):
    with pytest.raises(ConfigError, match=said):
        plan_of(**given)


def test_a_pattern_that_fits_no_cell_is_named():
    with pytest.raises(ConfigError, match="DATASET/METHOD/SEED"):
        plan_of().cells("nothing/*")


@pytest.mark.parametrize("name", ["small", "full", "hub"])
def test_every_configuration_of_the_suites_can_be_read(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    given = yaml.safe_load((SUITE / f"{name}.yaml").read_text("utf-8"))
    cells = plan_of(given["datasets"], given["methods"]).cells()
    assert len({cell.key for cell in cells}) == len(cells) >= 12
    assert {"NP-BTL", "pooled", "length only"} <= {cell.method for cell in cells}
