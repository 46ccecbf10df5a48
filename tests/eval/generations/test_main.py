import json
import sys
from pathlib import Path

import pytest

import eval.generations.__main__ as recipe
from eval.generations import study
from fsa.errors import ConfigError
from fsa.reports.report import Report
from tests.factories.stand_in_policy import ARGUMENTS, TYPES, StandIn


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """Folders that say which choices they are about; the stand-in is opened in their place."""
    folder: Path = tmp_path_factory.mktemp("runs")
    config = {
        "source": {"class_path": "fsa.choices.sandbox.Sandbox", "init_args": ARGUMENTS},
        "splits": {
            "class_path": "fsa.choices.splits.Splitter",
            "init_args": {"by": "both", "fractions": [0.4, 0.1, 0.5]},
        },
        "seed": 0,
    }
    for name, only in (("np-0", None), ("np-1", None), ("pooled", None), ("dedicated", "long")):
        (folder / name).mkdir()
        (folder / name / "config.yaml").write_text(json.dumps({**config, "only_group": only}))
    return folder


@pytest.fixture
def asked(runs, tmp_path, monkeypatch):
    """The recipe on stand-ins."""
    monkeypatch.setattr(study, "Policy", StandIn)
    monkeypatch.setattr(sys, "argv", ["generations", "--run", "a *"])

    def ask(*run: str, **more: object) -> Report:
        known = {"context_sizes": [0, 1, 8], "people": 3, "prompts": 10, "distance_answers": 0}
        options = known | {"out": str(tmp_path / "report")} | more
        return recipe.generations(list(run), **options)

    return ask


def test_a_policy_that_follows_moves_every_group_towards_it_and_reversed_away(runs, asked, tmp_path):
    report = asked(f"NP={runs}/np-*", pooled=str(runs / "pooled"), unseen=["long+cheerful"])
    found = {(r.method, r.slice_name, r.group, r.metric, r.context_size): r for r in report.rows}
    for group in (*TYPES, "worst", "all"):
        assert found["NP", "", group, "movement", 8].low > 0
        assert found["NP", "", group, "reversed_movement", 8].high < 0
        assert found["NP", "", group, "against_pooled_win_rate", 8].low > 0.5
        assert found["NP", "", group, "against_pooled_win_rate", 0].value == 0.5
        assert found["NP", "", group, "movement", 8].seeds == 2
    assert found["NP", "", "all", "movement", 8].n == 4 * 3 * 10
    assert found["pooled", "", "all", "against_reference_win_rate", 0].value == 0.5
    assert ("pooled", "", "all", "movement", 8) not in found
    assert found["NP", "unseen = long+cheerful", "worst", "own_attribute_movement", 8].low > 0
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert {"report.json", "report.md", "movement.png", "continuum.png", "side_by_side.md"} <= names
    assert "continuum.png" in (tmp_path / "report" / "report.md").read_text()
    assert Report.load(tmp_path / "report").about["command"] == "python -m eval.generations --run 'a *'"
    assert report.about["counts"]["people"] == 12


def test_a_blind_policy_moves_nobody(runs, asked):
    rows = asked(str(runs / "pooled"), continuum=False).rows
    moving = [row for row in rows if "movement" in row.metric]
    assert moving
    assert all(row.value == row.low == row.high == 0 for row in moving)


def test_how_to_write_reaches_the_policy(runs, asked, monkeypatch):
    asked_with = []
    answer = StandIn.generate

    def recorded(self, people, prompts, batch_size=32, **options):
        asked_with.append((batch_size, options["max_new_tokens"]))
        return answer(self, people, prompts, batch_size=batch_size, **options)

    monkeypatch.setattr(StandIn, "generate", recorded)
    asked(str(runs / "np-0"), continuum=False, batch_size=7, max_new_tokens=9)
    assert set(asked_with) == {(7, 9)}


def test_a_dedicated_policy_is_asked_for_its_own_group(runs, asked):
    rows = asked(str(runs / "dedicated"), continuum=False).rows
    assert {row.group for row in rows} == {"long"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"split": "dev"}, "split must be one of"),
        ({"people": 0}, "people 1 or more"),
        ({"context_sizes": []}, "context_sizes are numbers"),
        ({"unseen": ["long"]}, "the run trained on that type"),
        ({"unseen": ["sad"]}, "'sad' is no pole"),
        ({"pooled": "nowhere"}, "no run folder there"),
    ],
)
def test_what_cannot_be_asked_is_said_before_any_work(runs, asked, changes, said):
    with pytest.raises(ConfigError, match=said):
        asked(str(runs / "np-0"), **changes)


def test_a_strength_reaches_the_policy_and_its_answers_are_kept_apart(runs, asked, monkeypatch):
    scaled = []
    monkeypatch.setattr(StandIn, "strengthen", lambda self, strength: scaled.append(strength), raising=False)
    asked(str(runs / "np-0"), continuum=False)
    assert scaled == []
    with pytest.raises(ConfigError, match="another method or data"):
        asked(str(runs / "np-0"), continuum=False, strength=0.5)
    asked(str(runs / "np-0"), continuum=False, strength=0.5, out=str(runs / "half"))
    assert scaled == [0.5]
