import numpy as np
import pytest

from fsa.choices.table import ChoiceTable
from fsa.errors import FeatureError
from fsa.outputs.item_tokens import Texts, item_tokens, only_text
from fsa.types import Choice, Pick
from tests.factories.reward_models import text


def test_a_table_is_read_as_its_texts_are(policy):
    choices = [Choice("ann", text(i), (text(10 + i, 3), text(20 + i, 6)), Pick(0)) for i in range(3)]
    table = ChoiceTable.from_choices(choices)
    tokens = item_tokens(table, policy.scorer, progress=False)
    items = range(table.num_items)
    prompts = [table.text(int(table.item_prompt[item])) for item in items]
    read = Texts(policy.scorer).items(prompts, [table.response(item) for item in items])
    np.testing.assert_array_equal(tokens.ids, read.ids)
    np.testing.assert_array_equal(tokens.start, read.start)
    assert np.isfinite(tokens.reference).all()  # a policy is measured against one


def test_an_item_that_no_choice_offers_is_not_read(policy):
    table = ChoiceTable.from_choices(
        [Choice(user, text(1), (text(i), text(i + 1)), Pick(0)) for user, i in (("ann", 3), ("bob", 5))]
    ).select(np.array([0]))
    tokens = item_tokens(table, policy.scorer, progress=False)
    lengths = np.diff(tokens.offsets)
    assert (lengths[table.items_used] > 0).all()
    assert lengths.sum() == lengths[table.items_used].sum()
    assert np.isnan(np.delete(tokens.reference, table.items_used)).all()


def test_prompts_are_padded_on_the_left(policy):
    ids, mask = Texts(policy.scorer).prompts([text(1, 2), text(2, 6)])
    assert mask[0].tolist() == sorted(mask[0].tolist())
    assert mask[1].all()
    assert (ids[0][~mask[0]] == 0).all()


def test_numbers_are_refused():
    assert only_text(["a", ({"role": "user", "content": "b"},)]) == ["a", ({"role": "user", "content": "b"},)]
    with pytest.raises(FeatureError, match="a language model reads text"):
        only_text(["a", (1.0, 2.0)])
