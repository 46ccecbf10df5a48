"""When two greedy texts count as one."""

import torch

from eval.adapter_check import same_until_close

SURE = [5.0, 0.0, 0.0]
CLOSE = [1.0, 0.9995, 0.0]


def test_equal_texts_are_the_same_whatever_was_close():
    tokens = torch.tensor([1, 2, 3])
    assert same_until_close(tokens, tokens, torch.tensor([SURE, CLOSE, SURE]))


def test_a_difference_after_a_close_call_is_forgiven_and_one_before_it_is_not():
    ours, later, earlier = torch.tensor([1, 2, 3]), torch.tensor([1, 0, 0]), torch.tensor([0, 2, 3])
    logits = torch.tensor([SURE, CLOSE, SURE])
    assert same_until_close(ours, later, logits)
    assert not same_until_close(ours, earlier, logits)


def test_without_a_close_call_the_whole_text_counts_also_its_length():
    ours = torch.tensor([1, 2, 3])
    logits = torch.tensor([SURE, SURE, SURE])
    assert not same_until_close(ours, ours[:2], logits)
    assert not same_until_close(ours, torch.tensor([1, 2, 0]), logits)
