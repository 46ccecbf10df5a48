"""Exported adapters against the steered policy they came from: `python -m eval.adapter_check --run RUN`."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import torch
from jaxtyping import Float, Int
from peft import PeftModel
from rich.console import Console
from rich.progress import track
from torch import Tensor
from transformers import AutoModelForCausalLM

from eval.generations.people import choose
from fsa.choices.table import ChoiceTable
from fsa.cli.recipes import run_recipe
from fsa.errors import FsaError
from fsa.models.language_scorer import LanguageScorer
from fsa.outputs.policy import Policy, PolicyPerson
from fsa.recipes.measuring.runs import source_and_splits
from fsa.reports.report import Report, Row
from fsa.runs.folder import CONFIG_YAML, about_this_run, read_yaml

_CLOSE = 1e-3  # logits nearer than this may come out either way


def adapter_check(
    run: str,
    people: int = 20,
    prompts: int = 5,
    choices: int = 8,
    max_new_tokens: int = 64,
    split: str = "test",
    out: str = "runs/adapter_check",
) -> Report:
    """Export people's adapters, open each with peft on the plain backbone, compare logits and greedy text.

    Ends with status 1 where a logit differs by more than 1e-4, or where a text differs before the first token
    whose two best logits are within 1e-3 of each other.

    Args:
        run: Run folder of a policy.
        people: Held-out people, of all groups in turn.
        prompts: Held-out prompts that each answers.
        choices: Choices seen of each.
        max_new_tokens: Longest answer, in tokens.
        split: Where people and prompts come from.
        out: Folder of the report.

    Raises:
        FsaError: An adapter is not the policy that it came from.
    """
    console, policy = Console(stderr=True), Policy.from_pretrained(run)
    source, splits = source_and_splits(read_yaml(Path(run) / CONFIG_YAML), trust_remote_code=False)
    table: ChoiceTable = getattr(splits(source.load()), split)
    each = -(-people // len(table.groups))
    field = choose(table, each, prompts, choices, max_others=1, seed=1)
    subjects = sorted(field.subjects, key=lambda one: int(one.number) // len(field.groups))[:people]
    known = policy.for_users([subject.seen(choices) for subject in subjects])
    gaps, seconds, differ = [], [], 0
    with tempfile.TemporaryDirectory(prefix="fsa-adapters-") as folder:
        for number, person in enumerate(track(known, "Adapters", console=console)):
            started = time.perf_counter()
            person.save_adapter(Path(folder) / str(number))
            seconds.append(time.perf_counter() - started)
            plain = opened(policy, Path(folder) / str(number))
            for prompt in field.prompts:
                gap, is_same = compared(policy, person, plain, prompt, max_new_tokens)
                gaps.append(gap)
                differ += not is_same
    n = len(gaps)
    rows = [
        Row(run, "folded", "all", {}, choices, name, value, None, None, n, 1)
        for name, value in (
            ("largest_logit_gap", max(gaps)),
            ("greedy_texts_that_differ", float(differ)),
            ("export_seconds_a_person", sum(seconds) / len(seconds)),
        )
    ]
    report = Report(rows, about_this_run("eval.adapter_check"))
    report.save(out)
    console.print(
        f"{len(known)} people, {n} answers: logits within {max(gaps):.1e}, {differ} greedy texts differ, "
        f"{sum(seconds) / len(seconds):.3f} s to export one (longest {max(seconds):.3f} s)"
    )
    if max(gaps) > 1e-4 or differ:
        raise FsaError(f"{run}: exported adapters are not the policy that they came from")
    return report


def opened(policy: Policy, folder: Path) -> torch.nn.Module:
    """The plain backbone with an adapter, by peft alone."""
    scorer = policy.scorer
    assert isinstance(scorer, LanguageScorer)
    backbone = AutoModelForCausalLM.from_pretrained(scorer.language_model.folder)
    return PeftModel.from_pretrained(backbone, str(folder)).eval()


@torch.no_grad()
def compared(
    policy: Policy, person: PolicyPerson, plain: torch.nn.Module, prompt: object, max_new_tokens: int
) -> tuple[float, bool]:
    """Largest difference of logits along the policy's greedy answer, and whether the greedy texts are one up
    to the first token that could come out either way."""
    assert policy.texts is not None
    assert isinstance(policy.scorer, LanguageScorer)
    model, tokenizer = policy.scorer.language_model, policy.texts.tokenizer
    ids, mask = policy.texts.prompts([prompt])  # type: ignore[list-item]
    z = person.belief.mean.float()
    options = {
        "max_new_tokens": max_new_tokens,
        "do_sample": False,
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    ours = model.generate(ids, mask, z, **options)
    theirs = plain.generate(ids, attention_mask=mask.long(), **options)  # type: ignore[operator]
    everything = torch.ones_like(ours, dtype=torch.bool)
    mine = model.hidden(ours, everything, z) @ model.head.T
    gap = (mine - plain(ours).logits).abs().max()
    start = ids.shape[1]
    return float(gap), same_until_close(ours[0, start:], theirs[0, start:], mine[0, start - 1 :])


def same_until_close(
    ours: Int[Tensor, " t"], theirs: Int[Tensor, " u"], logits: Float[Tensor, "t1 v"]
) -> bool:
    """Whether two greedy texts are the same up to the first token whose two best logits are close.

    Args:
        ours: Tokens of one text.
        theirs: Tokens of the other.
        logits: That chose the first text's tokens, one row a token or more.
    """
    best = logits[: len(ours)].topk(2, -1).values
    close = (best[:, 0] - best[:, 1] < _CLOSE).nonzero()
    end = int(close[0]) if len(close) else max(len(ours), len(theirs))
    return bool(torch.equal(ours[:end], theirs[:end]))


if __name__ == "__main__":
    run_recipe(adapter_check)
