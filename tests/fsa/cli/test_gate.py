import sys

import pytest

from fsa.cli.gate import check_command_line, check_config
from fsa.encoders.encoder import ContextEncoder
from fsa.errors import CheckpointError

HINTS = {"encoder": ContextEncoder, "out": str}
FOREIGN = "evil.module.Encoder"


def check(*arguments: str) -> list[str]:
    return check_command_line(arguments, HINTS, takes_trust=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--encoder", FOREIGN),
        (f"--encoder={FOREIGN}",),
        ("--encoder.class_path", FOREIGN),
        ("--encoder", '{"class_path": "evil.module.Encoder"}'),
    ],
)
def test_foreign_code_is_refused_and_never_imported(arguments):
    with pytest.raises(CheckpointError, match=r"evil\.module\.Encoder, which is not part of fsa"):
        check(*arguments)
    assert "evil" not in sys.modules


def test_a_file_that_names_foreign_code_is_refused(tmp_path):
    for text in (f"encoder: {FOREIGN}", f"encoder: {{class_path: {FOREIGN}}}"):
        (tmp_path / "a.yaml").write_text(text)
        with pytest.raises(CheckpointError, match=r"a\.yaml"):
            check("--config", str(tmp_path / "a.yaml"))


def test_parts_of_fsa_and_plain_texts_pass():
    arguments = [
        "--encoder",
        "fsa.encoders.deep_set.DeepSet",
        "--encoder.hidden",
        "8",
        "--out",
        "some.dotted.Name",
    ]
    assert check(*arguments) == arguments
    check_config({"encoder": {"class_path": "fsa.encoders.deep_set.DeepSet"}, "out": "a.b.C"}, HINTS, "here")


def test_who_trusts_may_name_anything_and_the_word_goes_no_further():
    assert check("--encoder", FOREIGN, "--trust_remote_code", "true") == ["--encoder", FOREIGN]
    with pytest.raises(CheckpointError):
        check("--encoder", FOREIGN, "--trust_remote_code", "false")
