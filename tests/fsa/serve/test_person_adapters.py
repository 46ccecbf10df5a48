"""Folders of people's adapters: folded when asked for, gone when they are nobody's."""

import json
import os
import shutil

import pytest
from safetensors.torch import load_file
from torch.testing import assert_close

from fsa.errors import CheckpointError, ConfigError
from fsa.serve.person_adapters import PersonAdapters, Watch
from tests.factories.policies import make_policy
from tests.factories.reward_models import text_choices_of, text_model


def write(path, people, age=0):
    lines = [{"user": user, **one} for user, each in people.items() for one in each]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    os.utime(path, ns=(age, age))


@pytest.fixture
def adapters(tmp_path, llama, own_cache):
    make_policy(llama).save_pretrained(tmp_path / "policy")
    write(tmp_path / "people.jsonl", {"ann": text_choices_of(0, 3), "bob": text_choices_of(1, 3)})
    found = PersonAdapters(str(tmp_path / "policy"), str(tmp_path / "people.jsonl"))
    found.written, saved = [], PersonAdapters._fold
    found._fold = lambda name, revision: found.written.append(name) or saved(found, name, revision)
    return found


def test_an_adapter_is_that_of_the_library_and_folded_once(adapters, tmp_path, llama):
    folder = adapters.folder_of("ann")
    make_policy(llama).for_user(text_choices_of(0, 3)).save_adapter(tmp_path / "expected")
    there, expected = (load_file(f / "adapter_model.safetensors") for f in (folder, tmp_path / "expected"))
    assert there.keys() == expected.keys()
    for name in there:
        assert_close(there[name], expected[name])
    assert adapters.folder_of("ann") == folder
    assert adapters.folder_of("zoe") is None
    assert adapters.written == ["ann"]
    assert "ann" not in folder.name
    shutil.rmtree(folder)
    assert adapters.folder_of("ann").is_dir()


def test_what_changed_is_stale_and_the_rest_is_not(adapters, tmp_path):
    first = {name: adapters.folder_of(name) for name in ("ann", "bob")}
    assert adapters.stale() == []
    write(tmp_path / "people.jsonl", {"ann": text_choices_of(0, 4), "bob": text_choices_of(1, 3)}, age=1)
    assert adapters.stale() == ["ann"]
    assert not first["ann"].exists()
    assert adapters.folder_of("bob") == first["bob"]
    assert adapters.folder_of("ann") != first["ann"]
    write(tmp_path / "people.jsonl", {"bob": text_choices_of(1, 3)}, age=2)
    second = adapters.folder_of("bob")
    assert adapters.stale() == ["ann"]
    assert adapters.folder_of("ann") is None
    assert [path.name for path in second.parent.iterdir()] == [second.name]


def test_a_name_that_the_engine_did_not_forget_is_told_again(adapters, tmp_path):
    told: list[str] = []

    def unload(name):
        told.append(name)
        if len(told) == 1:
            raise OSError("not there")

    watch = Watch(adapters, unload, 60)
    adapters.folder_of("ann")
    write(tmp_path / "people.jsonl", {"bob": text_choices_of(1, 3)}, age=1)
    assert watch.look() == []
    assert watch.look() == ["ann"]
    assert watch.look() == []
    assert told == ["ann", "ann"]


def test_what_is_no_policy_or_not_named_is_said(tmp_path, bert, monkeypatch, own_cache):
    for name in ("FSA_MODEL", "FSA_PEOPLE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="FSA_MODEL must be set"):
        PersonAdapters()
    with pytest.raises(ConfigError, match="FSA_PEOPLE must be set"):
        PersonAdapters("runs/policy")
    text_model(bert).save_pretrained(tmp_path / "rewards")
    write(tmp_path / "people.jsonl", {"ann": text_choices_of(0, 3)})
    with pytest.raises(CheckpointError, match="format is"):
        PersonAdapters(str(tmp_path / "rewards"), str(tmp_path / "people.jsonl")).folder_of("ann")
