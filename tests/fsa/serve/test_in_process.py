"""Rewards inside another program: set up late, by the environment, the same in every thread and process."""

import pickle
import subprocess
import sys

import pytest

from fsa.errors import ConfigError
from fsa.serve.in_process import InProcess
from fsa.serve.people import Asked
from fsa.serve.scoring import ToScore
from fsa.serve.store.database import migrate, open_database
from fsa.serve.store.people import PeopleStore
from tests.fsa.serve.small import choices, text_rewards


def test_without_a_model_it_says_what_to_set(monkeypatch):
    monkeypatch.delenv("FSA_MODEL", raising=False)
    with pytest.raises(ConfigError, match="FSA_MODEL must name a run folder or hub id"):
        InProcess().score([ToScore(Asked("t"), "Tea?", ["Yes."])])


def test_arguments_are_said_over_the_environment(tmp_path, monkeypatch):
    text_rewards().save_pretrained(tmp_path / "run")
    monkeypatch.setenv("FSA_MODEL", "nowhere")
    monkeypatch.setenv("FSA_TENANT", "acme")
    rewards = InProcess(str(tmp_path / "run"))
    [scored] = rewards.score([ToScore(Asked(rewards.tenant), "Tea?", ["Yes.", "No."])])
    expected = text_rewards().for_user([]).score("Tea?", ["Yes.", "No."]).reward
    assert scored.reward == pytest.approx(expected.tolist(), abs=1e-6)
    assert (rewards.tenant, rewards.score([])) == ("acme", [])
    again = pickle.loads(pickle.dumps(rewards))
    assert again.score([ToScore(Asked("t"), "Tea?", ["Yes.", "No."])]) == [scored]
    assert len(pickle.dumps(rewards)) < 500


def test_trainers_need_nothing_of_the_server():
    code = (
        "import sys, fsa.serve.trl;"
        "print([name for name in ('fastapi', 'sqlalchemy', 'trl') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_people_may_be_in_a_servers_database(tmp_path):
    text_rewards().save_pretrained(tmp_path / "run")
    url = f"sqlite:///{tmp_path}/people.db"
    engine = open_database(url)
    migrate(engine)
    store = PeopleStore(engine)
    store.add_choices(("acme", "ann"), choices(3), "key")
    rewards = InProcess(str(tmp_path / "run"), url, tenant="acme")
    asked = [ToScore(Asked(rewards.tenant, "ann"), "Tea?", ["Yes.", "No."])]
    expected = [text_rewards().for_user(choices(n)).score("Tea?", ["Yes.", "No."]).reward for n in (3, 4)]
    assert rewards.score(asked)[0].reward == pytest.approx(expected[0].tolist(), abs=1e-6)
    store.add_choices(("acme", "ann"), choices(1, first=3), "more")
    assert rewards.score(asked)[0].reward == pytest.approx(expected[1].tolist(), abs=1e-6)
    store.erase(("acme", "ann"))
    [(_, is_known)] = rewards.score_with_known(asked)
    assert not is_known
