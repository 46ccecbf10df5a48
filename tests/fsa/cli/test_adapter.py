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
