"""The candidate nearest a target, over HTTP."""

from pathlib import Path

import pytest

from fsa.judge.regressor import RegressorJudge
from fsa.judge.select import select
from fsa.judge.target import AlignmentTarget
from tests.factories.labelled import made_up

BRIEF, LONG = "w1 w1", " ".join(["w1"] * 35)


@pytest.fixture
def judge(tmp_path: Path) -> Path:
    judge = RegressorJudge()
    judge.learn(made_up(40))
    judge.save(tmp_path / "judge")
    return tmp_path / "judge"


def test_the_choice_is_the_librarys(serve, judge):
    client = serve(judge=str(judge))
    probe = made_up(1, seed=3)[0].probe
    target = {"levels": {"long": 1.0}, "weights": {"long": 2}}
    body = {"prompt": probe.prompt, "responses": list(probe.responses), "target": target}
    said = client.post("/v1/judge", json=body).json()
    [scores] = RegressorJudge.load(judge).score([probe])
    chosen = select(scores, AlignmentTarget.from_json(target))
    assert said["choice"] == chosen.index
    assert said["distances"] == pytest.approx(chosen.distances.tolist())
    assert said["scores"]["long"] == pytest.approx(scores.column("long").tolist())
    opposite = {**body, "target": {"long": 0.0}}
    assert client.post("/v1/judge", json=opposite).json()["choice"] == 1 - chosen.index


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({"sweetness": 0.5}, "the attributes are long, short"),
        ({"long": 7}, "a number from 0 to 1"),
        ({}, "one attribute or more"),
        ({"levels": {"long": 1}, "weight": 1}, "it may have levels, weights and at_least"),
    ],
)
def test_a_target_that_is_none_is_named(serve, judge, target, words):
    body = {"prompt": "w1", "responses": [BRIEF, LONG], "target": target}
    answer = serve(judge=str(judge)).post("/v1/judge", json=body)
    assert answer.status_code == 422
    assert words in answer.json()["error"]["message"]


def test_without_a_judge_that_is_said(client):
    body = {"prompt": "w1", "responses": [BRIEF, LONG], "target": {"long": 1}}
    answer = client.post("/v1/judge", json=body)
    assert answer.status_code == 404
    assert "--judge FOLDER" in answer.json()["error"]["message"]
