import pytest

from fsa.errors import ConfigError
from fsa.runs.safe_yaml import parse_yaml, read_mapping


def test_plain_values_are_read(tmp_path):
    (tmp_path / "a.yaml").write_text("a: 1\nb: [x, 2.5]\n")
    assert read_mapping(tmp_path / "a.yaml") == {"a": 1, "b": ["x", 2.5]}


# Each name stands for ten of the one before it.
BOMB = "a: &a [1,2,3,4,5,6,7,8,9,10]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 10)}]\n" for before, name in ["ab", "bc", "cd", "de", "ef"]
)


@pytest.mark.parametrize(
    "text",
    [
        "a: [1",
        "!!python/object/apply:os.system ['true']",
        "[" * 5000,
        "[" * 62 + "]" * 62,
        BOMB,
    ],
)
def test_what_is_no_configuration_is_one_error_that_says_where(text):
    with pytest.raises(ConfigError, match=r"^here: cannot be read"):
        parse_yaml(text, "here")


@pytest.mark.parametrize("text", ["[1, 2]", "1: a", "word"])
def test_a_file_that_holds_no_names_is_refused(tmp_path, text):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ConfigError, match="should hold names and their values"):
        read_mapping(tmp_path / "a.yaml")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_mapping(tmp_path / "nothing.yaml")
