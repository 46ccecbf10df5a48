import pytest

from fsa.errors import ConfigError, OutputError
from fsa.recipes.in_run_folder import alone_beside_out, alone_in_out, in_run_folder


@in_run_folder
def recipe(config: dict, out: str, resume: bool = False, overwrite: bool = False) -> str:
    with pytest.raises(OutputError, match="another process is writing there"):
        recipe(config, out)
    return out


def test_a_recipe_has_its_folder_to_itself_while_it_works(tmp_path):
    assert recipe({}, str(tmp_path / "run")) == str(tmp_path / "run")
    assert recipe({}, out=str(tmp_path / "run")) == str(tmp_path / "run")  # the lock is free again


def test_what_is_there_is_not_lost_by_accident(tmp_path):
    (tmp_path / "config.yaml").write_text("seed: 0\n")
    with pytest.raises(ConfigError, match="holds a run already"):
        recipe({}, str(tmp_path))


@pytest.mark.parametrize(
    ("alone", "out", "locked"),
    [
        (alone_in_out, "answers", "answers"),
        (alone_in_out, "v0.3", "v0.3"),
        (alone_beside_out, "answers/answers.jsonl", "answers"),
    ],
)
def test_who_goes_on_in_a_folder_is_alone_there(tmp_path, alone, out, locked):
    @alone
    def grows(out: str, depth: int = 0) -> str:
        if depth == 0:
            with pytest.raises(OutputError, match="another process is writing there"):
                grows(out, 1)
            grows(str(tmp_path / "elsewhere"), 1)
        return out

    assert grows(str(tmp_path / out)) == str(tmp_path / out)
    assert grows(out=str(tmp_path / out)) == str(tmp_path / out)  # the lock is free again
    assert (tmp_path / locked / ".lock").exists()
