"""What a config may name, and that nothing foreign is imported before it is refused."""

import json
import sys
from pathlib import Path

import pytest

from fsa import RewardModel
from fsa.encoders.encoder import ContextEncoder
from fsa.errors import CheckpointError
from fsa.likelihoods.btl import BradleyTerryLuce
from fsa.likelihoods.label_noise import LabelNoise
from fsa.likelihoods.likelihood import ChoiceLikelihood
from fsa.runs.components import build_parts, refuse_foreign
from tests.factories.reward_models import BTL, choices_of, numbers, part, small_model

FOREIGN = "somebodys_code_for_this_test"


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Class path of an encoder in a module of somebody else's, which leaves a trace when it is imported."""
    code = "from fsa.encoders.deep_set import DeepSet\nclass Mine(DeepSet):\n    pass\n"
    (tmp_path / f"{FOREIGN}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, FOREIGN, raising=False)
    return f"{FOREIGN}.Mine"


def edited(folder: Path, **changes: object) -> Path:
    """A saved model with some of its config changed."""
    small_model().save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
    return folder


@pytest.mark.parametrize("slot", ["encoder", "scorer", "likelihood", "features", "projection"])
def test_foreign_code_is_refused_and_never_imported(slot, foreign, tmp_path):
    folder = edited(tmp_path / "run", **{slot: {"class_path": foreign}})
    with pytest.raises(CheckpointError, match=f"{slot} is {foreign}, which is not part of fsa"):
        RewardModel.from_pretrained(folder)
    assert FOREIGN not in sys.modules


def test_foreign_code_inside_an_argument_is_refused_and_never_imported(foreign, tmp_path):
    noise = part("likelihoods.label_noise.LabelNoise", base={"class_path": foreign})
    with pytest.raises(CheckpointError, match=f"likelihood.base is {foreign}, which is not part of fsa"):
        RewardModel.from_pretrained(edited(tmp_path / "run", likelihood=noise))
    assert FOREIGN not in sys.modules


def test_trusted_code_is_run(foreign, tmp_path):
    folder = edited(tmp_path / "run", encoder={"class_path": foreign})
    rewards = RewardModel.from_pretrained(folder, trust_remote_code=True)
    assert type(rewards.encoder).__name__ == "Mine"
    assert FOREIGN in sys.modules
    del sys.modules[FOREIGN]


def test_foreign_parts_are_found_anywhere_in_a_config():
    config = {"a": [{"class_path": "fsa.x.Y", "init_args": {"b": {"class_path": "os.system"}}}]}
    with pytest.raises(CheckpointError, match=r"source.a\[0\].b is os.system"):
        refuse_foreign(config, "source")
    refuse_foreign({"a": BTL}, "source")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (BTL, "which is no ContextEncoder"),
        ({"class_path": "fsa.runs.folder.Path"}, "which is no class of fsa"),
        ({"class_path": "fsa.runs.folder.commit"}, "which is no class of fsa"),
        ({"class_path": "fsa.encoders.deep_set.Shallow"}, "which this fsa does not have"),
        ({"class_path": "fsa.encoders.nowhere.DeepSet"}, "which this fsa does not have"),
        ({"class_path": "fsa.encoders.encoder.ContextEncoder"}, "abstract"),
        (part("encoders.deep_set.DeepSet", depth=3), "depth"),
        (part("encoders.deep_set.DeepSet", hidden="wide"), "hidden should be"),
        ({"class_path": "fsa.encoders.deep_set.DeepSet", "dict_kwargs": {}}, "dict_kwargs"),
        ("fsa.encoders.deep_set.DeepSet", "an object with a class_path"),
        (None, "an object with a class_path"),
        ({"init_args": {}}, "an object with a class_path"),
    ],
)
def test_what_is_no_encoder_is_refused_by_name(spec, said):
    with pytest.raises(CheckpointError, match=rf"config.json: encoder.*{said}"):
        build_parts({"encoder": spec}, {"encoder": ContextEncoder}, 2, 3)


def test_an_argument_may_be_a_part():
    config = {"likelihood": part("likelihoods.label_noise.LabelNoise", base=BTL, rate=0.2)}
    built = build_parts(config, {"likelihood": ChoiceLikelihood})["likelihood"]
    assert isinstance(built, LabelNoise)
    assert isinstance(built.base, BradleyTerryLuce)
    assert built.rate.item() == pytest.approx(0.2)


def test_an_argument_of_another_base_is_refused():
    config = {"likelihood": part("likelihoods.label_noise.LabelNoise", base=part("models.bilinear.Bilinear"))}
    with pytest.raises(CheckpointError, match=r"likelihood.base is .*Bilinear, which is no ChoiceLikelihood"):
        build_parts(config, {"likelihood": ChoiceLikelihood})


def test_a_model_with_a_part_in_a_part_comes_back(tmp_path):
    rewards = small_model(likelihood=part("likelihoods.label_noise.LabelNoise", base=BTL, rate=0.2))
    rewards.save_pretrained(tmp_path)
    again = RewardModel.from_pretrained(tmp_path)
    first, second = (model.for_user(choices_of(1, 3)).prefers("", *numbers(0)) for model in (rewards, again))
    assert first == second
    assert 0.1 <= first <= 0.9  # a fifth of all answers is random
