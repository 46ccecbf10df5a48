"""`distance`: how far a policy is from its reference, in nats a token and an answer, and whether it stops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from rich.console import Console
from rich.progress import track
from torch import Tensor

from eval.generations.grid import GridNumbers
from eval.generations.people import HeldOutPanel, HeldOutUser
from fsa.errors import ConfigError
from fsa.log_probs import token_log_probs
from fsa.models.backbone import LanguageModel
from fsa.models.language_scorer import LanguageScorer
from fsa.outputs.item_tokens import Texts
from fsa.outputs.policy import Policy
from fsa.types import Text

PER_TOKEN, PER_ANSWER = "kl_per_token", "kl_per_answer"
STOPPED = "stopped_share"
"""Metric: share of drawn answers that come to their end before they are cut."""
SURPRISE = "reference_surprise"
"""Metric: nats a token by which the reference's own answers are less likely; its exponential is the ratio of
perplexities."""
REFERENCE_STOPPED = "reference_stopped_share"
"""Metric: the same share of the reference's answers."""


class Drawn(NamedTuple):
    """Answers drawn from a policy.

    Attributes:
        log_ratio: log pi - log ref of each whole answer, in nats [m].
        tokens: Tokens of each, its end included [m].
        stopped: Whether each came to its end [m].
    """

    log_ratio: Float[np.ndarray, " m"]
    tokens: Int[np.ndarray, " m"]
    stopped: Bool[np.ndarray, " m"]


def distance(
    policy: Policy,
    field: HeldOutPanel,
    sizes: Sequence[int],
    num_answers: int,
    max_new_tokens: int,
    seed: int,
    training: int,
    batch_size: int = 64,
    console: Console | None = None,
    by_reference: bool = False,
    reads: Callable[[HeldOutUser, Text, int], Text] | None = None,
) -> list[GridNumbers]:
    """KL(policy || reference) at each context size, by answers drawn from the policy, and which of them stop.

    Every person is asked equally many prompts, and every prompt is asked of about equally many; several times
    where more answers are wanted than there are people and prompts.

    Args:
        policy: The policy.
        field: People and prompts.
        sizes: Choices seen.
        num_answers: About how many answers to draw at each size.
        max_new_tokens: Longest answer, in tokens; what would come after is not counted.
        seed: Seed of drawing.
        training: Which training this is.
        batch_size: Answers drawn at once.
        console: Where progress is shown; None shows none.
        by_reference: Draw from the reference instead: how much less likely the policy finds its answers.
        reads: What the reference reads in place of a prompt, for a person of whom so many choices are known:
            then it is this that is measured, and the policy is not run.
    """
    people, prompts = len(field.subjects), len(field.prompts)
    who, asked = asked_of(people, prompts, num_answers)
    found = []
    for size in sizes:
        known = policy.for_users([subject.seen(size) for subject in field.subjects])
        z = torch.cat([known[i].belief.mean for i in who]).float()
        texts = [field.prompts[j] for j in asked]
        read = (
            [reads(field.subjects[i], text, size) for i, text in zip(who, texts, strict=True)]
            if reads
            else texts
        )
        # Prompts near in length together, so that little is padded.
        order = sorted(range(len(texts)), key=lambda i: len(str(read[i])))
        starts = range(0, len(order), batch_size)
        parts = []
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            for start in track(
                starts,
                f"Drawing {len(order)} answers after {size} choices",
                console=console,
                disable=not console,
            ):
                rows = order[start : start + batch_size]
                asks = [texts[i] for i in rows]
                if reads:
                    parts.append(draw_told(policy, [read[i] for i in rows], asks, max_new_tokens))
                else:
                    parts.append(draw(policy, z[rows], asks, max_new_tokens, by_reference))
        back = np.argsort(order)
        log_ratio, tokens, stopped = (np.concatenate(column)[back] for column in zip(*parts, strict=True))
        whole = GridNumbers.grid(PER_ANSWER, size, np.zeros((people, prompts)), field.subjects, training)
        per_answer = replace(whole.where(who * prompts + asked), value=log_ratio)
        weight = tokens.astype(float)
        if by_reference:
            found.append(replace(per_answer, metric=SURPRISE, value=-log_ratio, weight=weight))
            found.append(replace(per_answer, metric=REFERENCE_STOPPED, value=stopped.astype(float)))
        else:
            found += [replace(per_answer, metric=PER_TOKEN, weight=weight), per_answer]
            found.append(replace(per_answer, metric=STOPPED, value=stopped.astype(float)))
    return found


def asked_of(
    people: int, prompts: int, num_answers: int
) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """Who is asked which prompt: every person equally many, every prompt of about equally many."""
    each = max(num_answers // people, 1)
    who = np.repeat(np.arange(people), each)
    return who, (who * each + np.tile(np.arange(each), people)) % prompts


@torch.no_grad()
def draw(
    policy: Policy,
    z: Float[Tensor, "m z"],
    prompts: Sequence[Text],
    max_new_tokens: int,
    by_reference: bool = False,
) -> Drawn:
    """Draw an answer for each latent and prompt, and compare its probability with the reference's.

    The very tokens that were drawn are scored: text cut into tokens again may be cut otherwise.

    Raises:
        ConfigError: The policy writes no text.
    """
    model, texts = writer_of(policy)
    ids, mask = (each.to(policy.device) for each in texts.prompts(prompts))  # padded on the left
    z = z.to(ids.device)
    answer, end = drawn(model, texts, ids, mask, None if by_reference else z, max_new_tokens)
    is_drawn = up_to_end(answer, end)
    steered = _scores(lambda *read: model.hidden(read[0], read[1], z), model, ids, mask, answer, is_drawn)
    reference = _scores(model.reference_hidden, model, ids, mask, answer, is_drawn)
    return _whole(steered - reference, answer, is_drawn, end)


@torch.no_grad()
def draw_told(policy: Policy, told: Sequence[Text], prompts: Sequence[Text], max_new_tokens: int) -> Drawn:
    """Draw the reference's answers to prompts that say more, and compare with those prompts without it.

    Raises:
        ConfigError: The policy writes no text.
    """
    model, texts = writer_of(policy)
    read, plain = (tuple(each.to(policy.device) for each in texts.prompts(some)) for some in (told, prompts))
    answer, end = drawn(model, texts, read[0], read[1], None, max_new_tokens)
    is_drawn = up_to_end(answer, end)
    knowing, reference = (
        _scores(model.reference_hidden, model, ids, mask, answer, is_drawn) for ids, mask in (read, plain)
    )
    return _whole(knowing - reference, answer, is_drawn, end)


def writer_of(policy: Policy) -> tuple[LanguageModel, Texts]:
    if not isinstance(policy.scorer, LanguageScorer) or policy.texts is None:
        raise ConfigError(f"scorer is {type(policy.scorer).__name__}, which writes no text")
    return policy.scorer.language_model, policy.texts


def drawn(
    model: LanguageModel,
    texts: Texts,
    ids: Int[Tensor, "m p"],
    mask: Bool[Tensor, "m p"],
    z: Float[Tensor, "m z"] | None,
    max_new_tokens: int,
) -> tuple[Int[Tensor, "m l"], int]:
    """Answers' tokens, and the one that ends each."""
    end: int = texts.tokenizer.eos_token_id
    padding = end if texts.tokenizer.pad_token_id is None else texts.tokenizer.pad_token_id
    written = model.generate(
        ids,
        mask,
        z,
        max_new_tokens=max_new_tokens,
        do_sample=True,
        temperature=1.0,
        top_k=0,  # the whole distribution: its KL is asked for
        top_p=1.0,
        pad_token_id=padding,
        eos_token_id=end,
    )
    return written[:, ids.shape[1] :], end


def _scores(
    hidden_of: Callable[[Tensor, Tensor], Tensor],
    model: LanguageModel,
    ids: Int[Tensor, "m p"],
    mask: Bool[Tensor, "m p"],
    answer: Int[Tensor, "m l"],
    is_drawn: Bool[Tensor, "m l"],
) -> Float[Tensor, " n"]:
    """Log-probability of each token that was drawn, row after row, in nats."""
    whole = torch.cat([mask, is_drawn], 1)
    predicts = torch.zeros_like(whole)
    predicts[:, ids.shape[1] - 1 : -1] = is_drawn  # the state before a token predicts it
    hidden = hidden_of(torch.cat([ids, answer], 1), whole)
    return token_log_probs(hidden[predicts], model.head, answer[is_drawn])


def _whole(
    ratio: Float[Tensor, " n"], answer: Int[Tensor, "m l"], is_drawn: Bool[Tensor, "m l"], end: int
) -> Drawn:
    sums = torch.zeros(is_drawn.shape, dtype=torch.float64, device=ratio.device)
    sums[is_drawn] = ratio.double()
    stopped = (answer == end).any(1)
    return Drawn(sums.sum(1).cpu().numpy(), is_drawn.sum(1).cpu().numpy(), stopped.cpu().numpy())


def up_to_end(answer: Int[Tensor, "m l"], end: int) -> Bool[Tensor, "m l"]:
    """True for an answer's tokens up to its first end, that included."""
    is_end = answer == end
    return is_end.cumsum(1) - is_end.long() == 0
