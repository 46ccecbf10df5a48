"""The recipe end to end, on runs of a few steps."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from fsa import RewardModel
from fsa.cli.recipes import run_recipe
from fsa.errors import ConfigError
from fsa.recipes.reward import train_reward
from fsa.runs.folder import read_yaml
from tests.factories.runs import CONFIG, ROOT, train_small

SHORT = {"loop__max_steps": 10, "loop__validate_every": 5, "source__num_users": 100}


def test_a_run_folder_holds_what_the_format_says(synthetic_run):
    names = {path.name for path in synthetic_run.iterdir()}
    assert names >= {
        "config.yaml", "config.json", "model.safetensors", "projection.safetensors", "metrics.csv",
        "meta.json", "checkpoints",
    }  # fmt: skip
    assert any((synthetic_run / "checkpoints").iterdir())
    meta = json.loads((synthetic_run / "meta.json").read_text())
    assert meta.keys() >= {"versions", "seed", "commit", "features", "steps", "validation_nll", "counts"}
    assert (meta["seed"], meta["steps"]) == (0, 150)
    with (synthetic_run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert any(row["validation/accuracy_10"] for row in rows)


def test_the_model_has_the_weights_of_the_best_validation(synthetic_run):
    (best,) = (synthetic_run / "checkpoints").glob("best.ckpt")
    trained = torch.load(best, map_location="cpu", weights_only=True)["state_dict"]
    stored = load_file(synthetic_run / "model.safetensors")
    calibrated = ("scorer.factor", "scorer.width", "scorer.growth")
    comes_later = {name for name in stored if ".doubt." in name or name in calibrated}
    assert stored.keys() - comes_later == trained.keys() & stored.keys()
    for name in stored.keys() - comes_later:
        assert torch.equal(stored[name], trained[name]), name


def test_few_validation_choices_are_told_where_they_choose_among_steps(tmp_path, capsys):
    few = {**SHORT, "episodes__validation_episodes": 3, "episodes__max_targets": 2}
    train_small(tmp_path / "few", **few)
    assert " 6 different choices to validate on" in " " + " ".join(capsys.readouterr().err.split())
    train_small(tmp_path / "once", **(few | {"loop__validate_every": 10}))
    train_small(tmp_path / "many", **(SHORT | {"source__num_users": 300}))
    assert "to validate on" not in capsys.readouterr().err


def ask(rewards: RewardModel) -> list[float]:
    """What a person who likes larger numbers would be predicted to choose."""
    person = rewards.for_user([{"options": [0.1 * i, 0.1 * i + 0.35], "chosen": 1} for i in range(6)])
    return [person.prefers("", 0.95, 0.5), person.prefers("", 0.9, 0.6), person.prefers("", 0.2, 0.4)]


def test_a_reloaded_model_predicts_as_the_trained_one(tmp_path):
    options = [
        f"--config={CONFIG}",
        "--source.num_users=100",
        "--loop.max_steps=10",
        "--loop.validate_every=5",
        "--episodes.validation_episodes=20",
    ]
    trained = run_recipe(
        train_reward, [*options, "--loop.accelerator=cpu", "--loop.progress=false", f"--out={tmp_path}/run"]
    )
    assert ask(trained) == ask(RewardModel.from_pretrained(tmp_path / "run"))


def test_a_few_choices_tell_the_two_types_apart(synthetic_run):
    rewards = RewardModel.from_pretrained(synthetic_run)
    pairs = [(0.1, 0.55), (0.95, 0.5), (0.9, 0.6), (0.3, 0.7), (0.2, 0.5), (1.0, 0.6)]
    larger = [{"options": pair, "chosen": int(pair[1] > pair[0])} for pair in pairs]
    central = [{"options": p, "chosen": int(abs(p[1] - 0.5) < abs(p[0] - 0.5))} for p in pairs]
    for a, b in [(0.97, 0.48), (0.92, 0.55), (0.85, 0.62)]:  # the types disagree on these
        assert rewards.for_user(larger).prefers("", a, b) > 0.8
        assert rewards.for_user(central).prefers("", a, b) < 0.2


def test_swapping_every_choice_flips_the_mean_preference(synthetic_run):
    """Over many people, of either type, and pairs on which the types disagree."""
    rewards = RewardModel.from_pretrained(synthetic_run)
    draw = np.random.default_rng(0)
    gaps = []
    for person in range(60):
        pairs = draw.random((10, 2))
        utility = pairs if person % 2 else -np.abs(pairs - 0.5)
        mine = [
            {"options": pair, "chosen": int(u[1] > u[0])}
            for pair, u in zip(pairs.tolist(), utility, strict=True)
        ]
        swapped = [{**choice, "chosen": 1 - choice["chosen"]} for choice in mine]
        better, worse = (0.95, 0.5) if person % 2 else (0.5, 0.95)
        people = rewards.for_users([mine, swapped])
        scored = rewards.score_batch(people, ["", ""], [[better, worse]] * 2)
        gaps.append([float(-np.diff(scores.reward)[0]) for scores in scored])
    as_chosen, as_swapped = np.mean(gaps, 0)
    assert as_chosen > 1
    assert as_swapped < -1


NO_CONTEXT = [("pooled",), ("pooled", "dedicated"), ("dpl",)]
OVERLAYS = [*NO_CONTEXT, ("vpl",), ("own_btl",), ("nearest_users",), ("gpo",)]


@pytest.mark.slow
@pytest.mark.parametrize("overlays", OVERLAYS, ids=lambda names: "+".join(names))
def test_every_baseline_trains_and_comes_back(overlays, tmp_path):
    folder = train_small(tmp_path / "run", *overlays, **SHORT)
    rewards = RewardModel.from_pretrained(folder)
    asked = ask(rewards)
    assert all(0 < p < 1 for p in asked)
    stderr = rewards.for_user([]).score("", [0.2, 0.4, 0.6]).stderr
    assert (stderr is not None) == ("vpl" in overlays)
    unknown = rewards.for_user([])
    assert (asked[0] == unknown.prefers("", 0.95, 0.5)) == (overlays in NO_CONTEXT)
    assert read_yaml(folder / "config.yaml")["encoder"]["class_path"].startswith("fsa.encoders.")


def numbers_file(folder: Path, users: int = 60, choices: int = 12) -> Path:
    """People who compare two numbers each; every other one likes the second better."""
    draw = np.random.default_rng(1)
    path = folder / "people.jsonl"
    rows = [
        {"user": f"u{user}", "options": pair, "chosen": int(pair[user % 2] < pair[1 - user % 2]) ^ (user % 2)}
        for user in range(users)
        for pair in draw.normal(size=(choices, 2)).round(3).tolist()
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("overlays", [(), *OVERLAYS], ids=lambda names: "+".join(names) or "np-btl")
def test_anybodys_choices_train_with_every_baseline(overlays, tmp_path, capsys):
    settings = {
        "source__path": numbers_file(tmp_path),
        "features": "fsa.features.numeric.Numeric",
        "projection__extras": "[]",
        "projection__num_components": 1,
        "loop__max_steps": 6,
        "loop__validate_every": 3,
        "episodes__validation_episodes": 30,
        "loop__progress": False,
        "loop__accelerator": "cpu",
    }
    choices = ROOT / "configs" / "reward" / "choices.yaml"
    folder = train_small(tmp_path / "run", *overlays, config=choices, **settings)
    assert 0 < RewardModel.from_pretrained(folder).for_user([]).prefers("", 0.1, 0.4) < 1
    if not overlays:
        again = [f"--config={folder / 'config.yaml'}", f"--out={tmp_path / 'again'}"]
        run_recipe(train_reward, again)
        first, second = (read_yaml(place / "config.yaml") for place in (folder, tmp_path / "again"))
        assert second == first | {"out": str(tmp_path / "again")}
        stored = [load_file(place / "model.safetensors") for place in (folder, tmp_path / "again")]
        assert all(torch.equal(tensor, stored[1][name]) for name, tensor in stored[0].items())


def test_a_part_inside_a_part_trains_and_comes_back(tmp_path):
    folder = train_small(
        tmp_path / "run",
        likelihood="fsa.likelihoods.label_noise.LabelNoise",
        likelihood__base="fsa.likelihoods.btl.BradleyTerryLuce",
        likelihood__rate=0.2,
        likelihood__learn=True,
        **SHORT,
    )
    rewards = RewardModel.from_pretrained(folder)
    assert type(rewards.likelihood.base).__name__ == "BradleyTerryLuce"
    assert all(0.05 < p < 0.95 for p in ask(rewards))


def choices_with(tmp_path: Path, *extra: dict) -> list[str]:
    """Arguments of a run on texts, whose backbone does not exist: whoever asks for features gets an error."""
    rows = [
        {"user": f"u{u}", "prompt": f"p{i}", "options": ["a", "b"], "chosen": i % 2}
        for u in range(20)
        for i in range(6)
    ]
    rows += [
        {"user": f"u{u}", "prompt": "p7", "options": ["a", "b"], **more} for u in range(20) for more in extra
    ]
    path = tmp_path / "people.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = ROOT / "configs" / "reward" / "choices.yaml"
    backbone = f"--features.init_args.backbone={tmp_path / 'nothing'}"
    return [f"--config={config}", f"--source.path={path}", f"--out={tmp_path / 'run'}", backbone]


def test_ties_stop_before_features_are_computed_where_nobody_scores_them(tmp_path):
    with pytest.raises(ConfigError, match="outcomes of kind tie, but BradleyTerryLuce scores only pick"):
        run_recipe(train_reward, choices_with(tmp_path, {"chosen": "tie"}))
    assert not (tmp_path / "run" / "config.yaml").exists()


def test_too_many_options_stop_before_features_are_computed(tmp_path):
    many = {"options": ["a", "b", "c"], "chosen": 0}
    dpl = f"--config={ROOT / 'configs' / 'baseline' / 'dpl.yaml'}"
    with pytest.raises(ConfigError, match="some choices have 3 options, but MeanVariance scores at most 2"):
        run_recipe(train_reward, [*choices_with(tmp_path, many), dpl])


def test_an_unknown_group_stops_with_the_groups_there_are(tmp_path):
    with pytest.raises(ConfigError, match="only_group is 'smaller', but the groups are central, larger"):
        train_small(tmp_path / "run", "dedicated", only_group="smaller")


@pytest.mark.parametrize(
    ("argument", "named"),
    [
        ("--lr=1", "lr"),
        ("--optimizer.rate=1", "rate"),
        ("--loop.max_steps=many", "max_steps"),
        ("--d_belief=x", "d_belief"),
    ],
)
def test_an_unknown_or_mistyped_key_stops_before_any_work_by_name(argument, named, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run_recipe(train_reward, [*choices_with(tmp_path), argument])
    assert named in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
