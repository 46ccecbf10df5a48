"""A person as a file: the same person, of the same model, or one clear error."""

import ast
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from fsa.errors import CheckpointError, ChoiceDataError, OutputError
from fsa.outputs.history import History
from fsa.outputs.person_file import _digest, model_hash
from fsa.outputs.reward_model import RewardModel
from fsa.types import Belief, Choice, Ranking
from tests.factories.reward_models import (
    choices_of,
    numbers,
    part,
    small_model,
    taste_model,
    text_choices_of,
)


@pytest.fixture
def saved(tmp_path):
    model = taste_model()
    person = model.for_user(choices_of(1, 3), half_life=4.0)
    person.save(tmp_path / "ann.person.safetensors")
    return model, person, tmp_path / "ann.person.safetensors"


def assert_same(one, other):
    said = [person.score("", numbers(7, 5)) for person in (one, other)]
    assert np.array_equal(said[0].reward, said[1].reward)
    for name in ("stderr", "low", "high"):
        if getattr(said[0], name) is not None:
            assert np.array_equal(getattr(said[0], name), getattr(said[1], name))


def test_loaded_it_scores_the_same_to_the_last_digit_and_can_be_changed(saved):
    model, person, path = saved
    again = model.load_person(path)
    assert_same(again, person)
    assert again.history == person.history
    more = choices_of(2, 1)[0]
    assert_same(again.update(more), person.update(more))
    assert path.stat().st_size < 4000


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"encoder": part("encoders.particles.Particles", particles=8, spread=True)},
        {
            "encoder": part("encoders.verbatim.Verbatim"),
            "scorer": part("models.own_logistic.OwnLogistic"),
        },
    ],
    ids=["point", "diagonal", "memory"],
)
def test_every_kind_of_belief_can_be_kept(parts, tmp_path):
    model = small_model(**parts)
    person = model.for_user(choices_of(1, 3))
    person.save(tmp_path / "person")
    assert_same(model.load_person(tmp_path / "person"), person)


def test_in_another_process_it_scores_the_same(saved, tmp_path):
    model = saved[0]
    model.save_pretrained(tmp_path / "model")
    opened = RewardModel.from_pretrained(tmp_path / "model")
    opened.for_user(choices_of(1, 3)).save(tmp_path / "person")
    script = (
        "import fsa, sys\n"
        "person = fsa.RewardModel.from_pretrained(sys.argv[1]).load_person(sys.argv[2])\n"
        f"print(person.score('', {numbers(7, 5)!r}).reward.tolist())"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "model"), str(tmp_path / "person")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (
        ast.literal_eval(done.stdout)
        == opened.for_user(choices_of(1, 3)).score("", numbers(7, 5)).reward.tolist()
    )


def test_without_choices_it_scores_and_holds_none(tmp_path):
    model = taste_model()
    choices = [{"prompt": "secret question", "options": [[1, 2], [2, 1]], "chosen": 0}]
    person = model.for_user(choices)
    person.save(tmp_path / "person", choices=False)
    assert b"secret" not in (tmp_path / "person").read_bytes()
    again = model.load_person(tmp_path / "person")
    assert_same(again, person)
    with pytest.raises(ChoiceDataError, match="were not kept"):
        again.forget("all")


def test_another_model_refuses_it(saved):
    _, _, path = saved
    with pytest.raises(CheckpointError, match="read by another model"):
        taste_model(seed=1).load_person(path)


def test_any_changed_byte_is_refused(saved):
    model, _, path = saved
    content = path.read_bytes()
    refused = 0
    for place in range(0, len(content), 3):
        changed = bytearray(content)
        changed[place] ^= 0x01
        path.write_bytes(changed)
        with pytest.raises(CheckpointError):
            model.load_person(path)
        refused += 1
    assert refused > 500


def test_a_missing_tensor_is_named(saved):
    model, _, path = saved
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        about = file.metadata()
    assert {"mean", "mixture.means"} <= tensors.keys()
    del tensors["mixture.means"]
    save_file(tensors, path, metadata=about)
    with pytest.raises(CheckpointError, match=r"mixture\.means is missing"):
        model.load_person(path)


def test_a_file_that_is_no_person_is_refused(saved, tmp_path):
    model = saved[0]
    save_file({"mean": torch.zeros(1, 3)}, tmp_path / "other")
    with pytest.raises(CheckpointError, match="not a person's file"):
        model.load_person(tmp_path / "other")
    with pytest.raises(CheckpointError, match="cannot be read"):
        model.load_person(tmp_path / "nothing")
    with pytest.raises(OutputError, match="cannot be written"):
        saved[1].save(tmp_path / "no" / "such" / "folder")


def test_the_hash_is_of_every_part():
    one = taste_model()
    assert model_hash(one) == model_hash(taste_model())
    assert model_hash(one) != model_hash(taste_model(seed=1))
    assert model_hash(one) != model_hash(taste_model(num_samples=17))


def test_chats_and_texts_come_back_as_they_were(tmp_path):
    model = taste_model()
    person = model.for_user(choices_of(1, 1))
    chat = ({"role": "user", "content": "Hi"},)
    choices = (
        Choice("person", chat, ("a", "b", "c"), Ranking((2, 0, 1))),
        *(
            Choice("person", c["prompt"], (c["chosen"], c["rejected"]), Ranking((0, 1)))
            for c in text_choices_of(1, 2)
        ),
    )
    replace(person, history=History(choices)).save(tmp_path / "person")
    again = model.load_person(tmp_path / "person").history
    assert [c.outcome.places(len(c.options)) for c in again.choices] == [(2 - 1, 2, 0), (0, 1), (0, 1)]
    assert [c.prompt for c in again.choices] == [c.prompt for c in choices]
    assert again.choices[0].options == ("a", "b", "c")


def forged(path, change):
    """The file with tensors and metadata changed, and a checksum that fits."""
    with safe_open(path, "pt") as file:
        about = dict(file.metadata())
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    about.pop("sha256")
    change(tensors, about)
    about["sha256"] = _digest(tensors, about)
    save_file(tensors, path, metadata=about)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tensors, about: tensors["mean"].fill_(float("nan")), "mean must be finite"),
        (lambda tensors, about: tensors["std"].fill_(-1.0), "std must be finite"),
        (lambda tensors, about: tensors["seen"].fill_(-1.0), "seen must be finite"),
        (lambda tensors, about: tensors.update(mean=tensors["mean"].repeat(2, 1)), "mean must be finite"),
        (lambda tensors, about: tensors.update(mean=tensors["mean"].float()), "finite torch.float64"),
        (lambda tensors, about: tensors.update(other=torch.zeros(1)), "other must be there"),
        (lambda tensors, about: (tensors.pop("std"), about.update(tensors="[]")), "std must be there"),
        (lambda tensors, about: about.update(tensors="[3]"), "3 is missing"),
        (lambda tensors, about: about.update(history="{"), "holds choices that are none"),
        (lambda tensors, about: about.update(history='{"choices": [{}]}'), "holds choices that are none"),
        (lambda tensors, about: about.update(history='{"choices": [], "stated": "null", "half_life": null}'),
         "holds choices that are none"),
        (lambda tensors, about: about.update(
            history='{"choices": [{"prompt": "", "options": [[1, 2], [3, 4]], "places": [0.5, 1]}], '
            '"stated": [], "half_life": null}'), "places must be whole numbers"),
    ],
)  # fmt: skip
def test_a_forged_file_is_refused_though_its_checksum_fits(saved, change, said):
    model, _, path = saved
    forged(path, change)
    with pytest.raises(CheckpointError, match=said):
        model.load_person(path)


def test_a_file_from_before_beliefs_said_how_much_they_had_seen_opens(saved):
    model, person, path = saved

    def as_before(tensors, about):
        del tensors["seen"]
        about["tensors"] = json.dumps(sorted(tensors))

    forged(path, as_before)
    again = model.load_person(path)
    assert_same(again, person)
    # Of the parts that others have, so that it can stand beside them in a batch.
    assert Belief.of_users([again.belief, person.belief]).seen.tolist() == [0.0, float(person.belief.seen)]


def test_a_file_with_a_checksum_of_ones_own_opens(saved):
    model, person, path = saved
    forged(path, lambda tensors, about: None)
    assert_same(model.load_person(path), person)
