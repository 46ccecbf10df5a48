import pytest
import torch
from safetensors.torch import load_file

from fsa.cli.adapter import adapter, folder_name
from tests.factories.lines import jsonl
from tests.factories.reward_models import text_choices_of


def test_many_adapters_are_written_one_a_user_and_a_cut_off_call_goes_on(policy, tmp_path):
    policy.save_pretrained(tmp_path / "run")
    users = ["ann", "bob/../c", "ann?"]
    lines = [{"user": user, **choice} for i, user in enumerate(users) for choice in text_choices_of(i, 3)]
    given = {"model": str(tmp_path / "run"), "choices": jsonl(tmp_path / "many.jsonl", lines)}
    adapter(**given, out=str(tmp_path / "all"))
    folders = {path.name for path in (tmp_path / "all").iterdir()}
    assert folders == {folder_name(user) for user in users}
    assert len(folders) == 3
    weights = tmp_path / "all" / "ann" / "adapter_model.safetensors"
    weights.unlink()
    kept = tmp_path / "all" / folder_name("ann?") / "adapter_model.safetensors"
    before = kept.stat().st_mtime_ns
    adapter(**given, out=str(tmp_path / "all"))
    assert weights.exists()
    assert kept.stat().st_mtime_ns == before


def test_an_adapter_that_was_cut_off_anywhere_is_written_anew_by_the_same_call(policy, tmp_path, monkeypatch):
    policy.save_pretrained(tmp_path / "run")
    lines = [{"user": "ann", **choice} for choice in text_choices_of(0, 3)]
    given = {"model": str(tmp_path / "run"), "choices": jsonl(tmp_path / "ann.jsonl", lines)}
    adapter(**given, out=str(tmp_path / "whole"))

    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    for place in ("_config", "save_file", "_sha256"):  # before the configuration, the weights, the last line
        out = tmp_path / place
        with monkeypatch.context() as patch:
            patch.setattr(f"fsa.outputs.adapters.{place}", killed)
            with pytest.raises(Killed):
                adapter(**given, out=str(out))
        adapter(**given, out=str(out))
        for name in ("adapter_model.safetensors", "fsa.json"):
            assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_another_strength_is_another_adapter_and_is_written_anew(policy, tmp_path):
    policy.save_pretrained(tmp_path / "run")
    lines = [{"user": "ann", **choice} for choice in text_choices_of(0, 3)]
    given = {"model": str(tmp_path / "run"), "choices": jsonl(tmp_path / "ann.jsonl", lines)}
    weights = tmp_path / "ann" / "adapter_model.safetensors"
    adapter(**given, out=str(tmp_path / "ann"))
    plain = load_file(weights)
    adapter(**given, out=str(tmp_path / "ann"), strength=0.5)
    for name, weight in load_file(weights).items():
        assert torch.equal(weight, plain[name] * (0.5 if "lora_B" in name else 1))
    adapter(**given, out=str(tmp_path / "ann"))
    assert all(torch.equal(weight, plain[name]) for name, weight in load_file(weights).items())
