"""Log-probabilities of responses from hidden states: in chunks, so that [tokens, vocabulary] never exists."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import checkpoint

from fsa.errors import ConfigError, ShapeError
from fsa.types import TokenRows

_CHUNK_TOKENS = 256
"""Tokens of a chunk by default: with fewer, a product waits for the head to be read each time."""
_GPU_CHUNK_LOGITS = 2**27
"""On a GPU at least so many logits, half a gigabyte: with fewer, it is not kept busy."""


def response_log_probs(
    hidden: Float[Tensor, "m l d"],
    weight: Float[Tensor, "v d"],
    tokens: TokenRows,
    *,
    chunk: int | None = None,
) -> Float[Tensor, " m"]:
    """Log-probability of each row's response given what stands before it, in nats, summed over its tokens in
    double precision.

    The state at token t - 1 predicts token t. Prompt and padding are never multiplied by the head. A token
    costs two products with a head that is not trained, and one where no gradient is wanted at all.

    Args:
        hidden: Last hidden states of the rows.
        weight: Of the output layer; logits are `hidden @ weight.T`.
        tokens: The rows; one block of them, cut to its own longest.
        chunk: Tokens whose logits exist at once; the default suits the device.

    Raises:
        ShapeError: `hidden` is not of these rows.
    """
    if hidden.shape[:2] != tokens.ids.shape:
        raise ShapeError(
            f"hidden is {list(hidden.shape)}, but there are {list(tokens.ids.shape)} tokens [rows, tokens]"
        )
    predicts = _response_positions(tokens) - 1  # flat [t]; a response never starts a row
    states = _Take.apply(hidden.flatten(0, 1), predicts)
    targets = tokens.ids.flatten().index_select(0, predicts + 1)
    log_probs = token_log_probs(states, weight, targets, chunk=chunk)
    if log_probs.device.type != "mps":  # which has none
        # A reward is a small difference of two such sums: in single precision it would be off by 1e-5.
        log_probs = log_probs.double()
    return _by_row(log_probs, predicts, tokens)


def token_log_probs(
    hidden: Float[Tensor, "t d"],
    weight: Float[Tensor, "v d"],
    targets: Int[Tensor, " t"],
    *,
    chunk: int | None = None,
) -> Float[Tensor, " t"]:
    """Log-probability of each target under softmax(hidden @ weight.T), in nats; at least float32.

    With a frozen head the forward pass also keeps d log p / d hidden, [t, d], so that nothing is computed
    again in the backward pass: it scales these rows. With a trained head the logits of a chunk are.

    Args:
        hidden: States that predict the targets.
        weight: Of the output layer.
        targets: Token ids.
        chunk: Tokens whose logits exist at once; the default suits the device.
    """
    device, dtype, chunk = hidden.device.type, _dtype(hidden, weight), chunk or _chunk(weight)
    states, head = hidden.to(dtype), weight.to(dtype)
    with torch.autocast(device, enabled=False):
        if not (torch.is_grad_enabled() and (states.requires_grad or head.requires_grad)):
            return _in_chunks(states, head, targets, chunk)
        if not head.requires_grad:
            log_probs: Tensor = _FrozenHead.apply(states, head, targets, chunk)
            return log_probs
        parts = zip(states.split(chunk), targets.split(chunk), strict=True)
        chunks = [checkpoint(_log_probs, part, head, wanted, use_reentrant=False) for part, wanted in parts]
        return torch.cat(chunks) if chunks else _log_probs(states, head, targets)


def response_divergence(
    hidden: Float[Tensor, "m l d"],
    reference: Float[Tensor, "m l d"],
    weight: Float[Tensor, "v d"],
    tokens: TokenRows,
    *,
    chunk: int | None = None,
) -> Float[Tensor, " m"]:
    """KL divergence of each next token of a response, from the reference to the policy, in nats, summed over
    the response's tokens.

    Args:
        hidden: Last hidden states of the rows under the policy.
        reference: The same under the reference; no gradient goes there.
        weight: Of the output layer of both, which is not trained.
        tokens: The rows; one block of them, cut to its own longest.
        chunk: Tokens whose logits exist at once; the default suits the device.
    """
    predicts = _response_positions(tokens) - 1  # flat [t]
    states, others = (_Take.apply(each.flatten(0, 1), predicts) for each in (hidden, reference.detach()))
    states, others, head = (each.to(_dtype(hidden, weight)) for each in (states, others, weight))
    with torch.autocast(hidden.device.type, enabled=False):
        nats = _FrozenDivergence.apply(states, others, head, chunk or _chunk(weight))
    return _by_row(nats, predicts, tokens)


@torch.no_grad()
def check_head(model: Any) -> None:
    """Refuse a model whose logits are anything but causal hidden states times its output layer's weight.

    Args:
        model: Of transformers.

    Raises:
        ConfigError: It caps or scales its logits, its output layer has a bias, or a token sees later ones.
    """
    name, output, text = type(model).__name__, model.get_output_embeddings(), model.config.get_text_config()
    if getattr(text, "final_logit_softcapping", None):
        raise ConfigError(f"{name} caps its logits (final_logit_softcapping), which is not supported")
    if output is None or getattr(output, "bias", None) is not None:
        raise ConfigError(
            f"{name} has no output layer, or a bias on its output layer, which is not supported"
        )
    was_training = model.training
    model.eval()  # dropout would make any two passes differ
    ids = torch.arange(min(4, len(output.weight)), device=output.weight.device).unsqueeze(0)
    hidden, shorter = (
        model.get_decoder()(rows, use_cache=False).last_hidden_state for rows in (ids, ids[:, :-1])
    )
    logits = model(ids, use_cache=False).logits
    model.train(was_training)
    if not _is_near(hidden @ output.weight.T, logits):
        raise ConfigError(f"{name} does more to its logits than multiply by the output layer's weight")
    if not _is_near(hidden[:, :-1], shorter):
        raise ConfigError(f"{name} looks at tokens to come, so it is no causal language model")


def _is_near(ours: Tensor, theirs: Tensor) -> bool:
    tolerance = 1e-2 if theirs.dtype is torch.bfloat16 else 1e-4
    return ours.shape == theirs.shape and bool((ours - theirs).abs().max() <= tolerance * theirs.abs().max())


def _dtype(hidden: Tensor, weight: Tensor) -> torch.dtype:
    """What products with the head are made in: cast once, not by autocast in every chunk, for a head is
    large."""
    device = hidden.device.type
    is_cast = torch.is_autocast_enabled(device) and hidden.dtype != torch.float64
    return torch.get_autocast_dtype(device) if is_cast else weight.dtype


def _chunk(weight: Tensor) -> int:
    """Tokens whose logits exist at once, as suits the device."""
    return max(_CHUNK_TOKENS, 0 if weight.device.type == "cpu" else _GPU_CHUNK_LOGITS // len(weight))


class _KnownSlope(torch.autograd.Function):
    """One number a state, of four arguments, whose gradient goes to the states alone and is known in the
    forward pass."""

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        (direction,) = ctx.saved_tensors
        return direction * upstream.to(direction.dtype).unsqueeze(1), None, None, None


class _FrozenHead(_KnownSlope):
    """Log-probabilities of targets."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, chunk: int) -> Tensor:
        direction = torch.empty_like(hidden)
        log_probs = _in_chunks(hidden, weight, targets, chunk, direction)
        ctx.save_for_backward(direction)
        return log_probs


class _FrozenDivergence(_KnownSlope):
    """KL divergences of next tokens, with no gradient to the reference's states."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, reference: Tensor, weight: Tensor, chunk: int) -> Tensor:
        direction = torch.empty_like(hidden)
        nats = hidden.new_empty(len(hidden), dtype=torch.promote_types(hidden.dtype, torch.float32))
        for start in range(0, len(hidden), chunk):
            part = slice(start, start + chunk)
            each, wanted = (_all_log_probs(states[part], weight) for states in (hidden, reference))  # [c, v]
            nats[part] = torch.nn.functional.kl_div(each, wanted, reduction="none", log_target=True).sum(-1)
            # d KL / d logits is the policy's probability less the reference's.
            torch.mm((each.exp_() - wanted.exp_()).to(weight.dtype), weight, out=direction[part])
        ctx.save_for_backward(direction)
        return nats


class _Take(torch.autograd.Function):
    """Rows of a matrix, each at most once: the gradient is copied back, where `index_select` would add it."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, places: Tensor) -> Tensor:
        ctx.save_for_backward(places)
        ctx.num_rows = len(rows)
        return rows.index_select(0, places)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        (places,) = ctx.saved_tensors
        empty = upstream.new_zeros(ctx.num_rows, upstream.shape[1])
        return empty.index_copy_(0, places, upstream), None


def _in_chunks(
    hidden: Tensor, weight: Tensor, targets: Tensor, chunk: int, direction: Tensor | None = None
) -> Tensor:
    """Log-probabilities [t]; `direction` is filled with their gradients towards `hidden`, where given."""
    log_probs = hidden.new_empty(len(hidden), dtype=torch.promote_types(hidden.dtype, torch.float32))
    for start in range(0, len(hidden), chunk):
        part = slice(start, start + chunk)
        wanted = targets[part].unsqueeze(1)
        each = _all_log_probs(hidden[part], weight)  # [chunk, v]
        log_probs[part] = each.gather(1, wanted).squeeze(1)
        if direction is not None:
            # d log p_y / d logits is onehot(y) - p. Subtracted before the product: after it, in half
            # precision, the rounding of p @ W would drown what is left of a token that is nearly certain.
            slope = each.exp_().neg_().scatter_add_(1, wanted, each.new_ones(wanted.shape))
            torch.mm(slope.to(weight.dtype), weight, out=direction[part])
    return log_probs


def _log_probs(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    return _all_log_probs(hidden, weight).gather(1, targets.unsqueeze(1)).squeeze(1)


def _all_log_probs(hidden: Tensor, weight: Tensor) -> Tensor:
    logits = hidden @ weight.T
    return torch.log_softmax(logits, -1, dtype=torch.promote_types(logits.dtype, torch.float32))


def _by_row(values: Float[Tensor, " t"], places: Int[Tensor, " t"], tokens: TokenRows) -> Float[Tensor, " m"]:
    """Sum of each row's values, which are of these places among all tokens of a block, flattened."""
    # Put back in place and summed by row: a fixed order, where adding up by row number has none on a GPU.
    return values.new_zeros(tokens.ids.numel()).index_copy(0, places, values).view_as(tokens.ids).sum(1)


def _response_positions(tokens: TokenRows) -> Int[Tensor, " t"]:
    """Places of the responses' tokens among all tokens of a block, flattened."""
    is_response = tokens.is_response.flatten()
    if tokens.num_response is None:  # where a GPU has to say how many, everything waits for it
        return is_response.nonzero().squeeze(1)
    return torch.nonzero_static(is_response, size=tokens.num_response[0]).squeeze(1)
