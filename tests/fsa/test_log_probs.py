"""Log-probabilities of responses: the numbers and gradients of full logits, without ever making these."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import LlamaConfig, LlamaForCausalLM

from fsa.errors import ShapeError
from fsa.log_probs import response_divergence, response_log_probs, token_log_probs
from fsa.types import TokenRows

VOCABULARY = 97


class Largest(TorchDispatchMode):
    """Remembers the most rows of any tensor that is as wide as the vocabulary."""

    rows = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple | list) else (result,):
            if isinstance(tensor, Tensor) and tensor.dim() and tensor.shape[-1] == VOCABULARY:
                self.rows = max(self.rows, tensor.numel() // VOCABULARY)
        return result


@pytest.fixture
def model() -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=0.3,
    )
    return LlamaForCausalLM(config).eval()


def token_rows(lengths: list[tuple[int, int]], counted: bool = True) -> TokenRows:
    """One block of rows with these many tokens of prompt and of response."""
    position = torch.arange(max(map(sum, lengths)))
    prompt, response = torch.tensor(lengths).T.unsqueeze(-1)
    mask = position < prompt + response
    ids = torch.randint(VOCABULARY, mask.shape, generator=torch.Generator().manual_seed(3))
    m = len(lengths)
    return TokenRows(
        ids=ids,
        mask=mask,
        is_response=mask & (position >= prompt),
        slot=torch.arange(m),
        reference=torch.zeros(m),
        blocks=((0, m, len(position)),),
        num_response=(int(response.sum()),) if counted else None,
    )


def random_problem(t: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    g = torch.Generator().manual_seed(t)
    hidden = torch.randn(t, 8, generator=g, dtype=dtype, requires_grad=True)
    weight = torch.randn(VOCABULARY, 8, generator=g, dtype=dtype)
    return hidden, weight, torch.randint(VOCABULARY, (t,), generator=g)


def by_hand(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    return (hidden @ weight.T).log_softmax(-1).gather(1, targets.unsqueeze(1)).squeeze(1)


def test_two_equal_logits_give_one_half_each() -> None:
    weight = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    log_probs = token_log_probs(torch.tensor([[3.0, -1.0]]), weight, torch.tensor([1]))
    assert_close(log_probs, torch.tensor([-math.log(2)]))


@pytest.mark.parametrize("chunk", [1, 3, 7, 100, None])
@pytest.mark.parametrize("head_is_trained", [False, True])
def test_values_and_gradients_equal_those_of_full_logits(chunk: int | None, head_is_trained: bool) -> None:
    hidden, weight, targets = random_problem(7)
    weight.requires_grad_(head_is_trained)
    upstream = torch.linspace(-1, 2, 7)
    wanted = [hidden, weight] if head_is_trained else [hidden]
    ours = token_log_probs(hidden, weight, targets, chunk=chunk)
    theirs = by_hand(hidden, weight, targets)
    assert_close(ours, theirs)
    assert_close(torch.autograd.grad(ours, wanted, upstream), torch.autograd.grad(theirs, wanted, upstream))


@pytest.mark.parametrize("head_is_trained", [False, True])
def test_gradients_agree_with_finite_differences(head_is_trained: bool) -> None:
    hidden, weight, targets = random_problem(5, torch.float64)
    weight.requires_grad_(head_is_trained)
    assert torch.autograd.gradcheck(lambda h, w: token_log_probs(h, w, targets, chunk=2), (hidden, weight))


@pytest.mark.parametrize("head_is_trained", [False, True])
def test_no_targets_give_no_numbers(head_is_trained: bool) -> None:
    hidden, weight, targets = random_problem(0)
    log_probs = token_log_probs(hidden, weight.requires_grad_(head_is_trained), targets)
    assert log_probs.shape == (0,)
    log_probs.sum().backward()
    assert hidden.grad is not None


@pytest.mark.parametrize("head_is_trained", [False, True])
def test_logits_of_more_tokens_than_a_chunk_never_exist(head_is_trained: bool) -> None:
    hidden, weight, targets = random_problem(50)
    weight.requires_grad_(head_is_trained)
    with Largest() as seen:
        token_log_probs(hidden, weight, targets, chunk=10).sum().backward()
    assert seen.rows == 10
    with Largest() as seen:
        by_hand(hidden, weight, targets).sum().backward()
    assert seen.rows == 50  # what is measured would have been seen


def test_a_frozen_head_keeps_one_state_a_token_and_computes_no_logits_again() -> None:
    hidden, weight, targets = random_problem(50)
    log_probs = token_log_probs(hidden, weight, targets, chunk=4)
    kept = log_probs.grad_fn.saved_tensors
    assert [tuple(tensor.shape) for tensor in kept] == [(50, 8)]
    with Largest() as seen:
        log_probs.sum().backward()
    assert seen.rows == 0


def test_without_grad_no_direction_is_kept() -> None:
    hidden, weight, targets = random_problem(9)
    with torch.no_grad():
        log_probs = token_log_probs(hidden, weight, targets, chunk=4)
    assert not log_probs.requires_grad
    assert_close(log_probs, by_hand(hidden, weight, targets).detach())


@pytest.mark.parametrize("autocast", [False, True])
def test_bfloat16_sums_in_float32(autocast: bool) -> None:
    hidden, weight, targets = random_problem(40)
    exact = by_hand(hidden, weight, targets)
    exact.sum().backward()
    gradient, hidden.grad = hidden.grad, None
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        dtype = torch.float32 if autocast else torch.bfloat16
        log_probs = token_log_probs(hidden.to(dtype), weight.to(dtype), targets, chunk=7)
    log_probs.sum().backward()
    assert log_probs.dtype == torch.float32
    # Eight bits of states and weights: logits of spread 3 are off by hundredths, and not by nothing.
    assert 0 < (log_probs - exact).abs().max() < 0.2
    assert (hidden.grad - gradient).abs().max() < 0.1


def test_a_certain_token_keeps_its_gradient_in_bfloat16() -> None:
    # Logits -3 and 3: p = sigmoid(6) = 0.9975, so d log p / d hidden = (1 - p) (w_1 - w_0) = 0.00247 * 128.
    weight = torch.tensor([[-64.0], [64.0]], dtype=torch.bfloat16)
    hidden = torch.tensor([[3 / 64]], dtype=torch.bfloat16, requires_grad=True)
    token_log_probs(hidden, weight, torch.tensor([1])).sum().backward()
    assert hidden.grad.item() == pytest.approx(128 / (1 + math.exp(6)), rel=0.01)


@pytest.mark.parametrize("counted", [False, True])
def test_a_response_is_the_sum_over_its_tokens_under_the_whole_model(
    model: LlamaForCausalLM, counted: bool
) -> None:
    rows = token_rows([(3, 2), (1, 9), (5, 1)], counted)
    hidden = model.model(rows.ids, attention_mask=rows.mask.long()).last_hidden_state
    ours = response_log_probs(hidden, model.lm_head.weight.detach(), rows, chunk=5)
    logits = model(rows.ids, attention_mask=rows.mask.long()).logits
    each = logits[:, :-1].log_softmax(-1).gather(2, rows.ids[:, 1:, None]).squeeze(2)
    theirs = torch.where(rows.is_response[:, 1:], each, 0).sum(1)
    assert_close(ours, theirs, check_dtype=False)
    parameters = [p for name, p in model.named_parameters() if "lm_head" not in name]
    weights = torch.tensor([1.0, -2.0, 0.5])
    assert_close(
        torch.autograd.grad(ours, parameters, weights), torch.autograd.grad(theirs, parameters, weights)
    )


def test_only_states_that_predict_the_response_count() -> None:
    rows = token_rows([(3, 2), (1, 6)])
    hidden = torch.randn(2, 7, 8, requires_grad=True)
    response_log_probs(hidden, torch.randn(VOCABULARY, 8), rows).sum().backward()
    moved = hidden.grad.abs().sum(-1) > 0
    # A prompt of three: states 2 and 3 predict tokens 3 and 4. A prompt of one: states 0 to 5.
    assert moved.nonzero().tolist() == [[0, 2], [0, 3], *([1, i] for i in range(6))]


def test_two_rows_are_each_what_they_are_alone() -> None:
    rows, hidden = token_rows([(3, 2), (2, 3)]), torch.randn(2, 5, 8)
    weight = torch.randn(VOCABULARY, 8)
    together = response_log_probs(hidden, weight, rows)
    first = token_rows([(3, 2)])
    alone = TokenRows(rows.ids[:1], first.mask, first.is_response, first.slot, first.reference, first.blocks)
    assert_close(response_log_probs(hidden[:1], weight, alone), together[:1])


def test_states_of_other_rows_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"hidden is \[2, 6, 8\], but there are \[2, 5\] tokens"):
        response_log_probs(torch.randn(2, 6, 8), torch.randn(VOCABULARY, 8), token_rows([(3, 2), (2, 3)]))


def test_a_long_response_is_summed_in_double_precision() -> None:
    rows = token_rows([(1, 400)])
    hidden, weight = torch.randn(1, 401, 8) * 3, torch.randn(VOCABULARY, 8) * 3
    found = response_log_probs(hidden, weight, rows)
    each = token_log_probs(hidden[0, :-1], weight, rows.ids[0, 1:])
    assert each.dtype == torch.float32
    assert abs(float(found) - math.fsum(each.tolist())) < 1e-9


@pytest.mark.parametrize("chunk", [1, 3, None])
@pytest.mark.parametrize("counted", [False, True])
def test_a_divergence_and_its_gradient_are_those_of_full_distributions(chunk, counted) -> None:
    tokens = token_rows([(2, 3), (4, 1)], counted)
    states = torch.randn(2, 2, 5, 8, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    hidden, reference = states[0].requires_grad_(), states[1].requires_grad_()
    _, weight, _ = random_problem(1, torch.float64)
    ours = response_divergence(hidden, reference, weight, tokens, chunk=chunk)
    policy, other = ((each @ weight.T).softmax(-1) for each in (hidden, reference))
    each = (other * (other / policy).log()).sum(-1)  # [m l], of the token that comes next
    theirs = torch.stack([each[0, 1:4].sum(), each[1, 3]])
    assert_close(ours, theirs)
    upstream = torch.tensor([1.0, -2.0], dtype=torch.float64)
    (mine,) = torch.autograd.grad(ours, hidden, upstream, retain_graph=True)
    assert_close(mine, torch.autograd.grad(theirs, hidden, upstream)[0])
    assert torch.autograd.grad(ours, reference, upstream, allow_unused=True) == (None,)


def test_nothing_diverges_from_itself() -> None:
    tokens = token_rows([(2, 3)])
    hidden = torch.randn(1, 5, 8, generator=torch.Generator().manual_seed(5), requires_grad=True)
    _, weight, _ = random_problem(1)
    nats = response_divergence(hidden, hidden, weight, tokens)
    nats.sum().backward()
    assert nats.tolist() == [0.0]
    assert not hidden.grad.any()
