"""Have a model answer prompts in several styles: `python -m train.answers --config policy/answers`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from fsa.backbones import Dtype
from fsa.choices.reading.json_lines import json_lines, stop
from fsa.errors import ChoiceDataError, ConfigError
from fsa.features.measures import MEASURES, measure
from fsa.models.chat_writer import ChatWriter
from fsa.recipes.in_run_folder import alone_beside_out
from fsa.recipes.line_log import LineLog
from fsa.seeding import random_bits, stable_hash, uniform
from fsa.settings import Range

_ORDER, _DRAW = 400, 401  # what a random number is for


@dataclass(frozen=True)
class Style:
    """A way to answer, shown to the model that writes alone.

    Attributes:
        name: Its name in the file.
        system: System prompt in place of the common one; None keeps that.
        examples: Exchanges before the prompt, each a question and its answer in this style.
    """

    name: str
    system: str | None = None
    examples: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if any(len(example) != 2 for example in self.examples):
            raise ConfigError(f"style {self.name!r}: an example is a question and an answer, two texts")


class Ask(NamedTuple):
    """One batch: all its rows are of one style."""

    style: Style
    sample: int
    prompts: list[str]

    @property
    def keys(self) -> set[tuple[str, int, str]]:
        """What `_key` will say of its lines."""
        return {(self.style.name, self.sample, prompt) for prompt in self.prompts}


def _key(line: dict[str, Any]) -> tuple[str, int, str]:
    return line["style"], line["sample"], line["prompt"][-1]["content"]


@alone_beside_out
def write_answers(
    prompts: str | list[str],
    styles: list[Style],
    backbone: str = "smollm2-135m",
    system: str | None = None,
    samples: int = 1,
    num_prompts: int = 240,
    max_prompt_chars: int = 80,
    max_new_tokens: int = 64,
    temperature: float = 0.7,
    top_p: float = 0.95,
    dtype: Dtype = "float32",
    batch_size: int = 48,
    seed: int = 0,
    out: str = "runs/answers/answers.jsonl",
) -> Path:
    """Write a model's own answers to prompts, several a prompt, as JSONL, for people to choose between.

    A line has `prompt`, the chat as a policy will read it, with the common system prompt and no word about
    style; `response`; `style` and `sample`; `tokens`; and `stopped`, false where an answer was cut at
    `max_new_tokens`. A killed run goes on where it was, and writes what it would have written.

    Args:
        prompts: The prompts, or a JSONL file, plain or gzipped, whose lines have a `prompt`; each different
            one counts once.
        styles: Ways to answer; one without system prompt and examples is the model as it comes.
        backbone: The model: a name, a folder or a hub id; it needs a chat template.
        system: System prompt of all prompts; None takes the template's own.
        samples: Answers in each style to each prompt.
        num_prompts: Most prompts; by chance among those that are short enough.
        max_prompt_chars: Longest prompt, in characters; those of several lines are left out.
        max_new_tokens: Longest answer, in tokens.
        temperature: Of drawing, > 0; larger is more random.
        top_p: Share of probability that is drawn from, 0 to 1.
        dtype: Of the model's weights; on CPUs that multiply bfloat16 it takes half as long.
        batch_size: Prompts answered at once; other sizes draw other answers.
        seed: Seed of prompts and of drawing.
        out: The file.

    Returns:
        The file.

    Raises:
        ChoiceDataError: The prompts cannot be read, or none is short enough.
        ConfigError: A number is out of range, or the file holds answers of other settings.
        FeatureError: There is no such backbone.
    """
    for name, number in (("samples", samples), ("num_prompts", num_prompts), ("batch_size", batch_size)):
        Range(at_least=1).check(name, number)
    Range(at_least=1, at_most=10**6).check("max_new_tokens", max_new_tokens)
    Range(above=0).check("temperature", temperature)
    if not styles or len({style.name for style in styles}) < len(styles):
        raise ConfigError("styles must be one or more, each of its own name")
    console = Console(stderr=True)
    asked = some_prompts(prompts, num_prompts, max_prompt_chars, seed)
    about = {
        "backbone": backbone, "system": system, "styles": [asdict(style) for style in styles],
        "samples": samples, "prompts": len(asked), "of": stable_hash("\n".join(asked)),
        "max_new_tokens": max_new_tokens, "temperature": temperature, "top_p": top_p,
        "dtype": dtype, "batch_size": batch_size, "seed": seed,
    }  # fmt: skip
    log = LineLog(Path(out), about)
    batches = list(_batches(asked, styles, samples, batch_size))
    done = set(map(_key, log.lines))
    left = [ask for ask in batches if not done.issuperset(ask.keys)]
    drawing: dict[str, Any] = {
        "max_new_tokens": max_new_tokens, "temperature": temperature, "top_p": top_p, "dtype": dtype
    }  # fmt: skip
    writer = ChatWriter(backbone, **drawing) if left else None
    for ask in track(left, f"Answering {len(asked)} prompts", console=console):
        assert writer is not None
        # A batch that a kill cut in two is drawn again, the same; what is missing of it is kept.
        log.append([line for line in lines_of(ask, writer, system, seed) if _key(line) not in done])
    console.print(_summary(log.lines, styles))
    console.print(f"{out}: {len(log.lines):,} answers, {sum(line['tokens'] for line in log.lines):,} tokens")
    return Path(out)


def some_prompts(given: str | Sequence[str], num: int, max_chars: int, seed: int) -> list[str]:
    """Different prompts, or those of a file, that are one short line, at most so many, by chance.

    Raises:
        ChoiceDataError: A line has no prompt, or no prompt is short enough.
    """
    texts = _in_file(given) if isinstance(given, str) else given
    found = dict.fromkeys(text.strip() for text in texts)
    short = np.array([p for p in found if p and "\n" not in p and len(p) <= max_chars], object)
    if not len(short):
        where = given if isinstance(given, str) else "prompts"
        raise ChoiceDataError(f"{where}: must hold a prompt of one line of at most {max_chars} characters")
    keys = uniform(seed, _ORDER, np.array([stable_hash(p) for p in short], np.uint64))
    return [str(p) for p in short[np.argsort(keys, kind="stable")][:num]]


def _in_file(path: str) -> Iterator[str]:
    for where, row in json_lines(path, stop):
        if not isinstance(row, dict) or not isinstance(row.get("prompt"), str):
            raise ChoiceDataError(f"{where}: must be an object whose prompt is a text")
        yield row["prompt"]


def _batches(prompts: Sequence[str], styles: Sequence[Style], samples: int, size: int) -> Iterator[Ask]:
    """Prompts some at a time, each some in every style: what is written first is whole."""
    for start in range(0, len(prompts), size):
        for style in styles:
            for sample in range(samples):
                yield Ask(style, sample, list(prompts[start : start + size]))


def lines_of(ask: Ask, writer: ChatWriter, system: str | None, seed: int) -> list[dict[str, Any]]:
    """Lines of one batch; the same whatever was written before."""
    chats = [[*before(ask.style, system), *user(prompt)] for prompt in ask.prompts]
    named = stable_hash(f"{ask.style.name}\n{ask.sample}\n" + "\n".join(ask.prompts))
    answers = writer(chats, int(random_bits(seed, _DRAW, np.uint64(named)) >> np.uint64(1)))
    common = [{"role": "system", "content": system}] if system else []
    return [
        {
            "prompt": [*common, *user(prompt)],
            "style": ask.style.name,
            "sample": ask.sample,
            "response": answer.text,
            "tokens": answer.tokens,
            "stopped": answer.stopped,
        }
        for prompt, answer in zip(ask.prompts, answers, strict=True)
    ]


def before(style: Style, system: str | None) -> list[dict[str, str]]:
    """What stands before a prompt for the model to answer in a style."""
    said = system if style.system is None else style.system
    first = [{"role": "system", "content": said}] if said else []
    shown = [m for question, answer in style.examples for m in (*user(question), *assistant(answer))]
    return [*first, *shown]


def user(text: str) -> list[dict[str, str]]:
    """What a user says, as a chat."""
    return [{"role": "user", "content": text}]


def assistant(text: str) -> list[dict[str, str]]:
    """What an assistant says, as a chat."""
    return [{"role": "assistant", "content": text}]


def _summary(lines: Sequence[dict[str, Any]], styles: Sequence[Style]) -> Table:
    """What answers of each style measure, in the mean over those that stopped: which attributes vary."""
    table = Table("style", "answers", "stopped %", *MEASURES)
    for style in styles:
        its = [line for line in lines if line["style"] == style.name]
        whole = [line["response"] for line in its if line["stopped"]]
        means = measure(list(MEASURES), whole).mean(0) if whole else np.full(len(MEASURES), np.nan)
        share = 100 * len(whole) / max(len(its), 1)
        table.add_row(style.name, str(len(its)), f"{share:.0f}", *(f"{mean:.2f}" for mean in means))
    return table
