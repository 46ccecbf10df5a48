from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from eval.generations.distance import STOPPED, distance, draw, draw_told, up_to_end
from eval.generations.people import HeldOutPanel, HeldOutUser
from fsa.conditioning.lora_gain import LoraGain
from fsa.models.policy import PolicyScorer
from fsa.outputs.item_tokens import Texts
from fsa.types import Belief


def test_an_answer_ends_with_its_first_end():
    answer = torch.tensor([[5, 3, 3, 7], [3, 0, 0, 0], [5, 6, 7, 8]])
    assert up_to_end(answer, 3).tolist() == [
        [True, True, False, False],
        [True, False, False, False],
        [True, True, True, True],
    ]


@pytest.fixture
def small(tmp_path: Path) -> SimpleNamespace:
    """A policy with random weights, 16 wide, and what it is asked with."""
    torch.manual_seed(0)
    words = {word: i for i, word in enumerate(["<pad>", "<end>", "<unk>", *"abcdefghijk"])}
    backend = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>", eos_token="<end>")
    config = LlamaConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, intermediate_size=32, initializer_range=0.5,
        pad_token_id=0, bos_token_id=None, eos_token_id=1,
    )  # fmt: skip
    LlamaForCausalLM(config).eval().save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    scorer = PolicyScorer(4, 3, backbone=str(tmp_path), conditioning=LoraGain(), rank=2).eval()
    return SimpleNamespace(scorer=scorer, texts=Texts(scorer), device=torch.device("cpu"))


def train_somehow(policy: SimpleNamespace) -> None:
    with torch.no_grad():
        for name, weight in policy.scorer.named_parameters():
            if "lora_B" in name:
                weight.copy_(0.5 * torch.randn_like(weight))


def test_a_new_policy_is_at_no_distance(small):
    drawn = draw(small, torch.randn(3, 3), ["a b", "c", "d e f"], 8)
    assert_allclose(drawn.log_ratio, 0, atol=1e-5)
    assert (drawn.tokens >= 1).all() and (drawn.tokens <= 8).all()  # noqa: PT018


@torch.no_grad()
def after_a_b_c(small, z) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probabilities of the next token, of the policy and of its reference."""
    model = small.scorer.language_model
    ids, mask = small.texts.prompts(["a b c"])
    both = model.hidden(ids, mask, z), model.reference_hidden(ids, mask)
    mine, reference = ((hidden[0, -1] @ model.head.T).log_softmax(-1) for hidden in both)
    return mine, reference


def test_the_mean_of_drawn_log_ratios_is_the_divergence(small):
    train_somehow(small)
    z = torch.tensor([[1.0, -1.0, 0.5]])
    log_p, log_r = after_a_b_c(small, z)
    exact, spread = float((log_p.exp() * (log_p - log_r)).sum()), float((log_p - log_r).std())
    assert exact > 0.05
    torch.manual_seed(1)
    drawn = draw(small, z.expand(4000, -1), ["a b c"] * 4000, 1)
    assert (drawn.tokens == 1).all()
    assert_allclose(drawn.log_ratio.mean(), exact, atol=6 * spread / 4000**0.5)


def test_a_drawn_answer_is_scored_alike_beside_a_longer_prompt(small):
    train_somehow(small)
    z = torch.tensor([[1.0, -1.0, 0.5]])
    torch.manual_seed(2)
    alone = draw(small, z, ["a"], 1)
    model = small.scorer.language_model
    ids, mask = small.texts.prompts(["a", "b c d e f"])
    hidden = model.hidden(ids, mask, z.expand(2, -1))[0, -1] @ model.head.T
    reference = model.reference_hidden(ids, mask)[0, -1] @ model.head.T
    ratios = (hidden.log_softmax(-1) - reference.log_softmax(-1)).detach().numpy()
    assert np.abs(ratios - alone.log_ratio[0]).min() < 1e-4


def test_answers_of_the_reference_are_drawn_without_the_person_and_scored_with_them(small, monkeypatch):
    train_somehow(small)
    z = torch.tensor([[1.0, -1.0, 0.5]])
    log_p, log_r = after_a_b_c(small, z)
    exact = float((log_r.exp() * (log_p - log_r)).sum())  # minus KL(reference || policy)
    torch.manual_seed(1)
    drawn = draw(small, z.expand(4000, -1), ["a b c"] * 4000, 1, by_reference=True)
    assert exact < -0.05
    assert_allclose(drawn.log_ratio.mean(), exact, atol=6 * float((log_p - log_r).std()) / 4000**0.5)
    # One token long: an answer has stopped where that token is the end.
    end = small.texts.tokenizer.eos_token_id
    assert_allclose(drawn.stopped.mean(), float(log_r.exp()[end]), atol=0.05)


def test_being_told_more_is_a_divergence_of_the_reference_from_itself(small):
    model, end = small.scorer.language_model, small.texts.tokenizer.eos_token_id
    told, plain = (
        (model.reference_hidden(*small.texts.prompts([text]))[0, -1] @ model.head.T).log_softmax(-1)
        for text in ("d e f a b c", "a b c")
    )
    exact, spread = float((told.exp() * (told - plain)).sum()), float((told - plain).std())
    assert exact > 0.05
    torch.manual_seed(1)
    train_somehow(small)  # adapters play no part in it
    drawn = draw_told(small, ["d e f a b c"] * 4000, ["a b c"] * 4000, 1)
    assert_allclose(drawn.log_ratio.mean(), exact, atol=6 * spread / 4000**0.5)
    assert_allclose(drawn.stopped.mean(), float(told.exp()[end]), atol=0.05)


def test_more_answers_than_prompts_are_drawn_where_they_are_wanted(small):
    people = tuple(HeldOutUser(f"u{i}", i, "g", (), ()) for i in range(2))
    field = HeldOutPanel(people, ("a", "b c", "d"), False)
    known = [SimpleNamespace(belief=Belief.point(torch.zeros(1, 3))) for _ in people]
    small.for_users = lambda contexts: known
    found = {one.metric: one for one in distance(small, field, [0], 14, 2, 1, 0, batch_size=4)}[STOPPED]
    assert np.bincount(found.user).tolist() == [7, 7]
    assert np.bincount(found.prompt).tolist() == [
        5,
        5,
        4,
    ]  # person 0 from prompt 0 on, person 1 from prompt 1 on
    told = distance(
        small, field, [0], 4, 2, 1, 0, reads=lambda subject, text, size: f"{text} {subject.group}"
    )
    assert {one.metric for one in told} == {"kl_per_token", "kl_per_answer", STOPPED}
