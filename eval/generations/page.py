"""`page`: answers side by side, for a reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eval.generations.people import HeldOutPanel, HeldOutUser, best_and_worst, question_of
from eval.generations.raters import Rater
from eval.generations.steering import GeneratedAnswers
from fsa.types import Choice, Text


def page(written: GeneratedAnswers, field: HeldOutPanel, judge: Rater, method: str, at_least: int = 0) -> str:
    """Markdown: for one person of every group, their answers without choices, with them, and reversed.

    Each group is shown on other prompts, the first person of the group on each, group after group in turn.
    Nothing is picked by hand. The choices that were seen stand under the answers.

    Args:
        written: Answers of one training.
        field: Whom and what they are for.
        judge: Its measures stand under each answer.
        method: Name of what answered.
        at_least: Answers to show where there are fewer groups.
    """
    size = written.largest
    parts = [
        f"# Answers of {method}, side by side",
        "The first person of every group, on held-out prompts in their order: the answer to an unknown "
        f"person, the answer after {size} of their choices, and after the same choices with every outcome "
        "turned round. Measures from the judge stand under each answer.",
    ]
    for number in range(max(len(field.groups), at_least)):
        group = field.groups[number % len(field.groups)]
        row, subject = next((i, s) for i, s in enumerate(field.subjects) if s.group == group)
        parts.append(f"## {group or 'all users'}")
        column = number % len(field.prompts)
        parts.append("\n".join(_answers(written, judge, subject, row, column, field.prompts[column])))
        parts.append("\n".join(_choices(subject.seen(size))))
    return "\n\n".join(parts) + "\n"


def _answers(
    written: GeneratedAnswers, judge: Rater, subject: HeldOutUser, row: int, column: int, prompt: Text
) -> Iterator[str]:
    size = written.largest
    shown = {
        "no choices": written.prior[0, column, 0],
        f"{len(subject.seen(size))} choices": written.given[size][row, column, 0],
        "the same, reversed": written.reversed[row, column, 0],
    }
    yield f"**{_in_cell(_as_text(prompt))}** ({subject.name})\n"
    yield "| " + " | ".join(shown) + " |"
    yield "|---|---|---|"
    yield "| " + " | ".join(_in_cell(answer) or "(nothing)" for answer in shown.values()) + " |"
    levels = judge.each([prompt] * len(shown), list(shown.values()))
    named = [", ".join(f"{n} {v:+.2f}" for n, v in zip(judge.names, each, strict=True)) for each in levels]
    yield "| " + " | ".join(f"*{words}*" for words in named) + " |"


def _choices(choices: Sequence[Choice]) -> Iterator[str]:
    yield f"<details><summary>{len(choices)} choices</summary>"
    for choice in choices:
        best, worst = (_in_cell(str(option)) for option in best_and_worst(choice))
        yield f"<p>{_in_cell(question_of(choice.prompt))}<br>chosen: {best}<br>not chosen: {worst}</p>"
    yield "</details>"


def _as_text(prompt: Text) -> str:
    if isinstance(prompt, str):
        return prompt
    return "\n".join(f"{message['role']}: {message['content']}" for message in prompt)


def _in_cell(text: str) -> str:
    """A text as one cell of a Markdown table: nothing in it is taken for markup of the table or the page."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("*", "\\*")
    return "<br>".join(line.strip() for line in escaped.strip().splitlines())
