"""From a file to a verdict and a model, on people made up of numbers."""

import json

import datasets
import numpy as np
import pandas
import pytest
from huggingface_hub import metadata_load
from safetensors.numpy import load_file

import fsa
from fsa.choices.fingerprint import fingerprint
from fsa.choices.ratings import Ratings
from fsa.choices.rows import Rows
from fsa.errors import ChoiceDataError, ConfigError
from fsa.recipes.evaluate import context_curve
from fsa.recipes.fit import described, fit, source_of
from fsa.reports.report import Report
from fsa.runs.hub_results import KEPT

FEW = ["--loop.progress=false", "--episodes.validation_episodes=60", "--episodes.users_per_step=32"]
FEW += ["--episodes.max_context=10", "--episodes.max_targets=10"]
QUICK = [*FEW, "--loop.max_steps=60", "--loop.validate_every=30"]
ANN = {"user": "ann", "prompt": "Tea?", "options": ["Yes", "No"], "chosen": 0}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FSA_CACHE", str(tmp_path / "cache"))


def people(folder, num_users: int, taste) -> str:
    """Twenty choices of two points each; `taste(user)` is the direction that a person mostly prefers."""
    rng = np.random.default_rng(0)
    points = np.round(rng.normal(size=(num_users, 20, 2, 2)), 3)
    noise = rng.gumbel(size=(num_users, 20, 2)) / 3
    lines = [
        {"user": f"u{u}", "prompt": f"p{i}", "options": pair.tolist()}
        | {"chosen": int((pair @ taste(u) + noise[u, i]).argmax())}
        for u, pairs in enumerate(points)
        for i, pair in enumerate(pairs)
    ]
    (folder / "people.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return str(folder / "people.jsonl")


def verdict_of(out) -> str:
    return Report.load(out / "eval").about["verdict"]


@pytest.mark.slow
def test_people_of_opposite_tastes_differ_and_the_model_reads_choices(tmp_path):
    path = people(tmp_path, 110, lambda user: np.array([1.0, 0.0]) * (-1) ** user)
    model = fit(path, out=str(tmp_path / "run"), folds=1, settings=QUICK)
    said = verdict_of(tmp_path / "run")
    assert said.startswith("after 10 choices")
    assert "one model for everybody has" in said
    seen = [{"options": [[1.0, 0.0], [-1.0, 0.0]], "chosen": 1}] * 1
    assert model.for_user(seen).prefers("", (-1.0, 0.0), (1.0, 0.0)) > 0.5
    card = (tmp_path / "run" / "README.md").read_text()
    assert "one model for everybody" in card  # the same numbers as the report's
    assert (tmp_path / "run" / "eval" / "accuracy.png").exists()


@pytest.mark.slow
def test_people_of_one_taste_are_alike_and_the_saved_model_reads_nothing(tmp_path):
    path = people(tmp_path, 60, lambda user: np.array([1.0, 0.5]))
    model = fit(path, out=str(tmp_path / "run"), folds=1, settings=[*QUICK, "--loop.max_steps=120"])
    assert "the saved model answers as one model for everybody" in verdict_of(tmp_path / "run")
    seen = [{"options": [[1.0, 0.0], [-1.0, 0.0]], "chosen": 1}]
    candidates = [(-1.0, 0.0), (1.0, 0.0)]
    assert model.for_user(seen).prefers("", *candidates) == model.for_user([]).prefers("", *candidates)


@pytest.mark.slow
def test_a_dozen_people_are_too_few_however_much_they_differ(tmp_path):
    path = people(tmp_path, 12, lambda user: np.array([1.0, 0.0]) * (-1) ** user)
    fit(path, out=str(tmp_path / "run"), folds=2, settings=QUICK)
    assert verdict_of(tmp_path / "run").startswith("too few people to tell: 12")
    report = Report.load(tmp_path / "run" / "eval")
    assert {row.n for row in report.rows if row.group == "all"} != {0}
    assert report.about[KEPT] in {row.method for row in report.rows}
    [index] = metadata_load(tmp_path / "run" / "README.md")["model-index"]
    assert index["results"][0]["metrics"]
    # Everyone was trained on, so there is a file of others to measure on, and no test split.
    with pytest.raises(ConfigError, match=r"the test split of this run holds no choices; .*--data FILE"):
        context_curve([str(tmp_path / "run")], out=str(tmp_path / "curve"))
    rows = context_curve(
        [str(tmp_path / "run")], [0, 5], str(tmp_path / "curve"), episodes=20, data=path
    ).rows
    assert {row.data for row in rows} == {"people"}


@pytest.mark.slow
def test_every_format_gives_bit_identical_weights(tmp_path):
    rows = [
        {"user": f"u{i % 25}", "prompt": f"p{i % 9}", "chosen": f"w{i % 7} good", "rejected": f"w{i % 5} bad"}
        for i in range(300)
    ]
    extra = [{**row, "score": 1.5} for row in rows]
    frame = pandas.DataFrame(rows)
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    made = datasets.Dataset.from_list(rows)
    made.save_to_disk(str(tmp_path / "saved"))
    files = [str(tmp_path / name) for name in ("a.jsonl", "a.csv", "a.parquet", "saved")]
    sources = [*files, made, rows, extra]
    assert len({fingerprint(source_of(source, None)[0].load()) for source in sources}) == 1
    measured = ["--features=fsa.features.measured.Measured", "--projection.num_components=null"]
    weights = []
    for number, source in enumerate([files[0], extra]):  # the same choices are the same training
        out = tmp_path / str(number)
        fsa.fit(
            source,
            out=str(out),
            folds=1,
            settings=["--loop.max_steps=10", *FEW, *measured],
        )
        tensors = load_file(out / "folds" / "0" / "personal" / "model.safetensors")
        weights.append(b"".join(tensors[name].tobytes() for name in sorted(tensors)))
    assert len(weights[0]) > 100
    assert weights[0] == weights[1]


def test_rows_with_a_rating_are_ratings(tmp_path):
    assert isinstance(source_of([{"user": "ann", "response": "a", "rating": 1}], None)[0], Ratings)
    assert isinstance(source_of([ANN], None)[0], Rows)
    assert isinstance(source_of([{"who": "ann", "text": "a", "stars": 1}], {"rating": "stars"})[0], Ratings)
    _, plain = source_of([ANN], {"group": None})
    assert plain == {
        "class_path": "fsa.choices.rows.Rows",
        "init_args": {"path": "in memory", "columns": {"group": None}, "ties": "drop"},
    }


def test_what_a_file_holds_is_said_in_words():
    rows = [ANN, {**ANN, "user": "bob"}, {**ANN, "user": "bob", "options": ["No", "Later"], "chosen": "tie"}]
    said = described(Rows(rows, ties="drop").load())
    assert said == (
        "2 choices of 2 people, 1 a person (1 to 1); 2 texts, 100 % of them judged by several people, "
        "1 prompts, 1 group; 1 ties dropped"
    )


def test_too_little_to_train_on_is_one_error(tmp_path):
    with pytest.raises(ChoiceDataError, match="must hold choices of at least 6 people to train, came 1"):
        fit([ANN], out=str(tmp_path / "run"))
    with pytest.raises(ConfigError, match="folds must be 1 or more"):
        fit([ANN], folds=0)
    for gap in (-1.0, 0.0, float("inf")):
        with pytest.raises(ConfigError, match="smallest_gap is"):
            fit([ANN], smallest_gap=gap)
    assert not (tmp_path / "run").exists()
