"""A chat model that answers many chats that begin alike, tiny."""

import pytest
import torch

from fsa.errors import ConfigError
from fsa.models.chat_writer import ChatWriter, aligned
from tests.factories.byte_llama import save_byte_llama, save_chat_llama


def chat(text: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]


def test_what_a_batch_begins_with_is_read_once_and_changes_nothing(tmp_path):
    writer = ChatWriter(str(save_chat_llama(tmp_path)))
    rows = [writer._ids(chat(text)) for text in ("one", "three words")]
    ids, mask, shared = aligned(rows, padding=1)
    assert shared > 20
    with torch.no_grad():
        cached = writer.model.generate(
            ids, attention_mask=mask, past_key_values=writer._read(ids[:1, :shared], 2),
            max_new_tokens=4, do_sample=False, pad_token_id=1,
        )  # fmt: skip
        for row, expected in zip(rows, cached, strict=True):
            alone = writer.model.generate(
                torch.tensor([row]), max_new_tokens=4, do_sample=False, pad_token_id=1
            )
            assert alone[0, len(row) :].tolist() == expected[ids.shape[1] :].tolist()


def test_rows_are_padded_behind_what_they_begin_with():
    ids, mask, shared = aligned([[5, 6, 7, 8], [5, 6, 9]], padding=0)
    assert ids.tolist() == [[5, 6, 7, 8], [5, 6, 0, 9]]
    assert mask.tolist() == [[True] * 4, [True, True, False, True]]
    assert shared == 2
    assert aligned([[5, 6], [5, 6]], padding=0)[2] == 1  # the last token is read when answering


def test_answers_follow_from_the_seed_and_stop_at_the_templates_end(tmp_path, monkeypatch):
    writer = ChatWriter(str(save_chat_llama(tmp_path)), max_new_tokens=6)
    first = writer([chat("one"), chat("two")], seed=1)
    assert writer([chat("one"), chat("two")], seed=1) == first != writer([chat("one"), chat("two")], seed=2)
    assert all(answer.stopped or answer.tokens == 6 for answer in first)
    monkeypatch.setattr(
        writer.model, "generate", lambda ids, **options: torch.cat([ids, torch.tensor([[40, 1, 1]])], 1)
    )
    (answer,) = writer([chat("one")], seed=1)
    assert (answer.tokens, answer.stopped, len(answer.text)) == (1, True, 1)


def test_weights_of_bfloat16_write_too(tmp_path):
    writer = ChatWriter(str(save_chat_llama(tmp_path)), max_new_tokens=3, dtype="bfloat16")
    assert writer.model.dtype == torch.bfloat16
    assert writer([chat("one")], seed=1) == writer([chat("one")], seed=1)


def test_a_model_without_a_chat_template_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="has no chat template"):
        ChatWriter(str(save_byte_llama(tmp_path)))
