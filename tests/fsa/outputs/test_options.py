import pytest
import torch
from torch.testing import assert_close

from fsa.errors import ChoiceDataError, ShapeError
from fsa.outputs.options import items_of, options_of
from tests.factories.reward_models import choices_of, numbers, small_model


def test_responses_are_the_options_of_one_choice_a_person_padded_to_the_most():
    model = small_model()
    person = model.for_user(choices_of(1, 2))
    options = options_of(model, [person, person], ["", ""], [numbers(1, 3), numbers(2, 1)])
    assert options.features.shape == (2, 1, 3, 2)
    assert options.option_mask[:, 0].tolist() == [[True] * 3, [True, False, False]]
    assert_close(options.features[0, 0], torch.tensor(numbers(1, 3), dtype=torch.float64))


def test_items_are_the_options_of_one_choice_whatever_their_prompts():
    model = small_model()
    items = items_of(model, ["a", "b", "a"], numbers(1, 3))
    assert items.features.shape == (1, 1, 3, 2)
    assert items.option_mask.all()
    assert_close(items.features[0, 0], torch.tensor(numbers(1, 3), dtype=torch.float64))


def test_people_of_another_model_and_responses_that_are_none_are_refused():
    model, other = small_model(), small_model(seed=1)
    person = model.for_user([])
    with pytest.raises(ShapeError, match="read by another model"):
        options_of(other, [person], [""], [numbers(1, 2)])
    with pytest.raises(ShapeError, match="is empty"):
        options_of(model, [person], [""], [[]])
    with pytest.raises(ChoiceDataError):
        items_of(model, ["a"], [None])  # type: ignore[list-item]
