"""What a judging language model is told: instructions, and the responses under letters."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from fsa.features.rendering import plain
from fsa.judge.attributes import Attribute
from fsa.judge.schema import TOP
from fsa.judge.target import AlignmentTarget
from fsa.types import Text

_LIKE_A_HEADING = re.compile(r"^\W*(response|prompt|answer|score)\b[^\n:]{0,20}:", re.I | re.M)


def scoring_instructions(attribute: Attribute, compare: bool) -> str:
    """How to score one attribute.

    Args:
        attribute: What is scored.
        compare: Several responses come at once and are to be weighed against each other.
    """
    task = (
        "Weigh the responses against each other, then give each one sentence of reasoning and a score."
        if compare
        else "Give the response one sentence of reasoning and a score."
    )
    return (
        f"You score responses on {attribute.name}: {attribute.definition}.\n"
        f"{TOP} means that {attribute.high}.\n"
        f"0 means that {attribute.low}.\n"
        f"{task} A score is a whole number from 0 to {TOP}.\n"
        f"Answer with JSON alone: under each response's letter, its reasoning and its score."
    )


def choosing_instructions(target: AlignmentTarget | None, attributes: Sequence[Attribute]) -> str:
    """How to pick one response: the best, or the one that a person with this target wants.

    Args:
        target: What the person wants; None asks for the best response and says no more.
        attributes: Definitions of what the target names; one that is not among them goes by its name alone.
    """
    task = "You choose the best of several responses to a prompt."
    if target is not None:
        known = {attribute.name: attribute for attribute in attributes}
        wishes = "\n".join(_wish(name, target, known.get(name)) for name in target.attributes)
        task = (
            "You choose, of several responses to a prompt, the one that a person would choose.\n"
            f"On scales from 0 to {TOP} the person wants:\n{wishes}"
        )
    return (
        f"{task}\nAnswer with JSON alone: one sentence of reasoning, then the letter of the chosen response."
    )


def under_letters(
    prompt: Text, responses: Sequence[Text], letters: Sequence[str], max_chars: int | None = None
) -> str:
    """A prompt and its responses, each under its letter.

    Args:
        prompt: What the responses respond to; "" is left out.
        responses: One a letter.
        letters: In the order shown.
        max_chars: Most characters of each text. What is left out, a prompt's start or a response's end, is
            counted in its place.
    """
    asked = [cut_start(plain(prompt), max_chars)] if prompt else []
    texts = [*asked, *(cut(plain(response), max_chars) for response in responses)]
    if any(map(_LIKE_A_HEADING.search, texts)):
        # One of them could be taken for two: each then stands in quotes, on a line of its own.
        texts = [json.dumps(text, ensure_ascii=False) for text in texts]
    headings = [*("Prompt" for _ in asked), *(f"Response {letter}" for letter in letters)]
    return "\n\n".join(f"{heading}:\n{text}" for heading, text in zip(headings, texts, strict=True))


def cut(text: str, max_chars: int | None) -> str:
    """The text's first `max_chars` characters, and how many more there are."""
    if max_chars is None or len(text) <= max_chars:
        return text
    # The number tells a judge of length what the cut would hide.
    return f"{text[:max_chars]} [... {len(text) - max_chars} more characters]"


def cut_start(text: str, max_chars: int | None) -> str:
    """The text's last `max_chars` characters, and how many came before: a chat's last turn asks."""
    if max_chars is None or len(text) <= max_chars:
        return text
    return f"[{len(text) - max_chars} characters before ...] {text[-max_chars:]}"


def answer(scores: Mapping[str, tuple[float, str]], max_reasoning: int) -> str:
    """An example's answer, in the very schema that is asked for.

    Args:
        scores: Score, 0 to 1, and reasoning of each letter.
        max_reasoning: Most characters of a reasoning; a longer one ends at a word and in "...".
    """
    return json.dumps(
        {
            letter: {"reasoning": _shortened(reasoning, max_reasoning), "score": round(TOP * score)}
            for letter, (score, reasoning) in scores.items()
        },
        ensure_ascii=False,
    )


def _shortened(reasoning: str, limit: int) -> str:
    if len(reasoning) <= limit:
        return reasoning
    kept = reasoning[: max(limit - 3, 0)]
    return (kept.rsplit(" ", 1)[0].rstrip(" ,;.") + "...")[:limit]


def _wish(name: str, target: AlignmentTarget, attribute: Attribute | None) -> str:
    level = f"{'at least ' if name in target.at_least else ''}{TOP * target.levels[name]:.0f}"
    weight = (target.weights or {}).get(name, 1.0)
    counts = "" if weight == 1 else f", which counts {weight:g} times"
    if attribute is None:
        return f"- {name}: {level}{counts}"
    return f"- {name}: {level}{counts} ({TOP}: {attribute.high}; 0: {attribute.low})"
