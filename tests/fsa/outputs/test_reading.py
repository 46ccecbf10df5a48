import pytest
import torch
from torch.testing import assert_close

from fsa.errors import CheckpointError, ChoiceDataError, ConfigError, ShapeError
from fsa.outputs.history import History
from fsa.outputs.reading import choice_batch, items_of, options_of, read
from tests.factories.reward_models import choices_of, numbers, small_model, taste_model


def test_people_are_padded_to_the_most_choices_and_nobody_changes_by_company():
    model = taste_model()
    known = [model.for_user(choices_of(1, n)).history for n in (0, 2, 5)]
    batch = choice_batch(model, known)
    assert batch.places.shape == (3, 5, 2)
    assert batch.mask.sum(-1).tolist() == [0, 2, 5]
    together = read(model, known)
    for i, history in enumerate(known):
        assert_close(together.of_user(i).mean, read(model, [history]).mean, atol=1e-12, rtol=0)


def test_choices_that_all_count_alike_have_no_weight():
    model = taste_model()
    assert choice_batch(model, [model.for_user(choices_of(1, 2)).history]).weight is None


def test_a_very_old_choice_is_as_none():
    model = taste_model()
    choices = choices_of(1, 3)
    faded = model.for_user(choices, half_life=0.01).belief  # 2^-100, 2^-200 of the older two
    assert_close(faded.mean, model.for_user(choices[-1:]).belief.mean, atol=1e-12, rtol=0)
    lasting = model.for_user(choices, half_life=1e9).belief
    assert_close(lasting.mean, model.for_user(choices).belief.mean, atol=1e-7, rtol=0)
    assert not torch.allclose(faded.mean, lasting.mean)


def test_an_encoder_that_weighs_no_choices_refuses_a_half_life():
    with pytest.raises(ConfigError, match="DeepSet counts all choices alike"):
        read(small_model(), [History((), 2.0)])


def test_numbers_that_allow_no_belief_are_one_error():
    model = taste_model()
    with torch.no_grad():
        model.encoder.log_std.fill_(-1e38)
    with pytest.raises(CheckpointError, match="its numbers allow no belief"):
        read(model, [History()])


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
