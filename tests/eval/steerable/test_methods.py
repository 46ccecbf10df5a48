from pathlib import Path

import pytest

from eval.steerable.methods import method_of
from fsa.errors import ConfigError


def test_every_configuration_makes_a_method() -> None:
    paths = [path for path in Path("configs/judge").glob("*.yaml") if path.stem != "users"]
    assert len(paths) >= 5
    for path in paths:
        method, _ = method_of(str(path))
        assert method.name == path.stem


def test_a_name_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert method_of("length")[0].name == "length"
    assert method_of("short=length")[0].name == "short"


def test_bad_methods_are_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a file, or one of .*length"):
        method_of("nothing")
    (tmp_path / "empty.yaml").write_text("aligned: true")
    with pytest.raises(ConfigError, match="must have judge or chooser, and not both"):
        method_of(str(tmp_path / "empty.yaml"))
    (tmp_path / "bad.yaml").write_text("judge: fsa.judge.nowhere.Judge")
    with pytest.raises(ConfigError, match=r"bad\.yaml"):
        method_of(str(tmp_path / "bad.yaml"))
