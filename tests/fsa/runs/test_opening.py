import pytest

from fsa.errors import CheckpointError
from fsa.runs.folder import CONFIG_YAML, write_json
from fsa.runs.opening import RUN_JSON, check_finished, check_one_run, local_folder


def test_what_is_neither_folder_nor_model_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="neither a run folder nor a model on the hub"):
        local_folder(tmp_path / "nothing")
    with pytest.raises(CheckpointError, match="nobody/nothing-at-all: neither"):
        local_folder("nobody/nothing-at-all")


def test_the_configuration_of_another_run_is_refused(tmp_path):
    write_json(tmp_path / RUN_JSON, {"run": "ours", "finished": True})
    (tmp_path / CONFIG_YAML).write_text("# run another\nseed: 1\n")
    with pytest.raises(CheckpointError, match=r"mixture of two runs, config\.yaml is of another"):
        check_one_run(tmp_path, check_finished(tmp_path), {})
    (tmp_path / CONFIG_YAML).write_text("# run ours\nseed: 1\n")
    check_one_run(tmp_path, check_finished(tmp_path), {})
