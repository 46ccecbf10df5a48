"""A pushed model behind an Inference Endpoint: the handler that its folder holds."""

import importlib.util

import pytest

from fsa.errors import ChoiceDataError
from fsa.outputs.endpoint import EndpointHandler
from fsa.runs.hub import HANDLER, write_handler
from tests.factories.reward_models import choices_of, numbers, small_model


@pytest.fixture
def folder(tmp_path):
    small_model().save_pretrained(tmp_path)
    return tmp_path


def test_the_folders_own_handler_ranks_as_the_person_does(folder):
    write_handler(folder)
    spec = importlib.util.spec_from_file_location("handler", folder / HANDLER)
    handler = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(handler)
    answers, choices = numbers(3, 4), choices_of(1, 3)
    inputs = {"prompt": "", "responses": answers, "choices": choices}
    asked = {"inputs": inputs, "parameters": {"top_k": 2}}
    found = handler.EndpointHandler(str(folder))(asked)
    assert found == small_model().for_user(choices).rank("", answers, top_k=2)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "inputs must be an object"),
        ({"inputs": {"prompt": "p"}}, "inputs must have responses, came prompt"),
    ],
)
def test_what_is_missing_is_named(folder, data, said):
    with pytest.raises(ChoiceDataError, match=said):
        EndpointHandler(str(folder))(data)
