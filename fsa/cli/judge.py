"""`fsa judge`: the candidate nearest a target, with the scores that say why."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fsa.choices.reading.record import refuse
from fsa.cli.ending import one_line
from fsa.cli.gate import check_config
from fsa.cli.lines import as_lines, written_lines
from fsa.errors import ChoiceDataError, ConfigError, JudgeError
from fsa.files import Results
from fsa.judge.comparative import ComparativeJudge
from fsa.judge.engines.transformers_engine import TransformersEngine
from fsa.judge.judge import Judge
from fsa.judge.labelled import key_of, read_labelled
from fsa.judge.regressor import RegressorJudge
from fsa.judge.scores import AttributeScores, Probe
from fsa.judge.select import Selection, select
from fsa.judge.target import AlignmentTarget
from fsa.outputs.api_inputs import as_prompt, as_response
from fsa.recipes.configured import parts_of
from fsa.runs.folder import read_yaml


def judge(
    target: str,
    candidates: str,
    judge: str | None = None,
    examples: str | None = None,
    save: str | None = None,
    out: str | None = None,
    trust_remote_code: bool = False,
) -> None:
    """Choose the candidate nearest a target, for each prompt of a file.

    Args:
        target: JSON file: levels of attributes, `{"verbosity": 0.25}`, or `levels` with `weights` and
            `at_least` (attributes of which more is as good).
        candidates: JSONL file; each line has `prompt`, `responses` (two or more), and any other field, which
            is echoed.
        judge: Folder of a saved regressor, or a YAML file with `judge`: the judge's class and arguments. If
            not given, Gemma 3 270M here compares the responses (HelpSteer2's attributes, no examples).
        examples: Labelled file for a judge of YAML to learn from: `prompt`, `responses`, `labels`.
        save: Folder to save a regressor that learned from `examples` to.
        out: JSONL file to write; the screen if not given. Each line is its candidates with `choice` (place of
            the nearest response, null where a score is missing), `ties`, `distances`, and, by attribute,
            `scores`, `spread` and `reasoning` of every response, and `problems`.
        trust_remote_code: Import classes that the YAML file names and that are not fsa's own.

    Raises:
        JudgeError: No prompt has a choice; the answers, which say why, are written.
    """
    results = Results(out)
    wanted = AlignmentTarget.from_file(target)
    asked = _judge(judge, trust_remote_code)
    if examples is not None:
        asked.learn(read_labelled(examples), progress=True)
    if save is not None:
        if not isinstance(asked, RegressorJudge):
            raise ConfigError(f"--save is for a regressor, came {type(asked).__name__}")
        asked.save(save)
    if asked.attributes:
        wanted.check(asked.attributes)  # before a long run, not after it
    lines = _candidates(candidates)
    probes = [_probe(line, where) for where, line in lines]
    scored = asked.score(probes, progress=True)
    answers = [
        {**line, **_answer(scores, select(scores, wanted))}
        for (_, line), scores in zip(lines, scored, strict=True)
    ]
    results.write(as_lines(answers))
    without = sum(answer["choice"] is None for answer in answers)
    if without:
        counts = Counter(problem for answer in answers for problem in _texts_in(answer["problems"]))
        why = ", ".join(f"{name} ({count} times)" for name, count in counts.most_common(3)) or "no score"
        said = f"{without} of {len(answers)} prompts have no choice: {why}"
        if without == len(answers):
            raise JudgeError(f"{said}; what came is in {out or 'the output'}")
        print(f"warning: {one_line(said)}", file=sys.stderr)


def _texts_in(value: Any) -> Iterator[str]:
    """Every text in nested lists and mappings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts_in(part)


def _judge(given: str | None, trust_remote_code: bool) -> Judge:
    if given is None:
        return ComparativeJudge(TransformersEngine("gemma-270m"))
    path = Path(given)
    if path.is_dir():
        return RegressorJudge.load(path)
    config = read_yaml(path)
    if not config.get("judge"):
        raise ConfigError(f"{path}: must have judge, came {', '.join(config) or 'nothing'}")
    if not trust_remote_code:
        check_config(config, {"judge": Judge}, str(path))
    made: Judge = parts_of({"judge": config["judge"]}, {"judge": Judge}, str(path))["judge"]
    return made


def _candidates(path: str) -> list[tuple[str, dict[str, Any]]]:
    lines = written_lines(path, "candidates", "an object with prompt and responses")
    if not lines:
        raise ChoiceDataError(f"{path}:1: must hold at least one line of candidates, came none")
    return lines


def _probe(line: dict[str, Any], where: str) -> Probe:
    if "prompt" not in line:
        refuse(where, "candidates", "an object with prompt and responses", line)
    responses = line.get("responses")
    if not isinstance(responses, list) or len(responses) < 2:
        refuse(where, "responses", "a list of two or more", responses)
    prompt = as_prompt(line["prompt"], where)
    texts = tuple(as_response(response, where) for response in responses)
    if not all(isinstance(text, str) or isinstance(text[0], dict) for text in texts):
        refuse(where, "responses", "texts or chats", responses)
    return Probe(key_of(prompt, texts), prompt, texts)  # type: ignore[arg-type]


def _answer(scores: AttributeScores, selection: Selection) -> dict[str, Any]:
    said = scores.to_json()
    by_attribute = {
        name: {
            attribute: [row[column] for row in said[name]]
            for column, attribute in enumerate(scores.attributes)
        }
        for name in ("mean", "spread", "reasoning")
        if said[name] is not None
    }
    return {
        "choice": selection.index,
        "ties": list(selection.ties),
        "distances": [None if np.isnan(one) else float(one) for one in selection.distances],
        "scores": by_attribute["mean"],
        "spread": by_attribute.get("spread"),
        "reasoning": by_attribute.get("reasoning"),
        "problems": said["problems"],
    }
