"""People who choose between a model's own answers by what those measure."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from fsa.choices.own_answers import OwnAnswers
from fsa.errors import ChoiceDataError, ConfigError

SHORT_CALM, SHORT_LIVELY = "Rice.", "Rice!"
LONG_CALM, LONG_LIVELY = "It is one two three four five six.", "It is one two three four five six!"
TWO = {"log_words": ["concise", "long"], "log_exclamations": ["calm", "lively"]}


def save(path: Path, answers: dict[str, list[str]], **more: object) -> str:
    lines: list[dict] = [{"about": {"seed": 0}}]
    for prompt, responses in answers.items():
        chat = [{"role": "user", "content": prompt}]
        lines += [{"prompt": chat, "response": text, "stopped": True, **more} for text in responses]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def example(folder: Path) -> dict:
    answers = {f"q{i}": [SHORT_CALM, SHORT_LIVELY, LONG_CALM, LONG_LIVELY] for i in range(30)}
    return {"path": save(folder / "a.jsonl", answers), "poles": TWO, "people_per_type": 8}


EXAMPLES = {"OwnAnswers": example}


def test_opposite_types_are_offered_the_same_pairs_and_choose_opposite_answers(tmp_path):
    path = save(tmp_path / "a.jsonl", {"q": [SHORT_CALM, SHORT_LIVELY, LONG_CALM, LONG_LIVELY]})
    source = OwnAnswers(path, poles=TWO, people_per_type=1)
    table = source.load()
    chosen: dict[str, dict[frozenset[str], str]] = {}
    for row in range(len(table)):
        choice = table.choice(row)
        options = [str(option) for option in choice.options]
        chosen.setdefault(choice.group, {})[frozenset(options)] = options[choice.outcome.index]
    # Two ways to differ in both measures: short and calm against long and lively, and the other two.
    pairs = {frozenset((SHORT_CALM, LONG_LIVELY)), frozenset((SHORT_LIVELY, LONG_CALM))}
    assert all(set(each) == pairs for each in chosen.values())
    assert set(chosen["concise"].values()) == {SHORT_CALM, SHORT_LIVELY}
    assert set(chosen["lively"].values()) == {SHORT_LIVELY, LONG_LIVELY}
    for low, high in TWO.values():
        assert all(chosen[low][pair] != chosen[high][pair] for pair in pairs)
    assert table.choice(0).prompt == ({"role": "user", "content": "q"},)


def test_small_gaps_are_ties_and_prompts_without_pairs_are_counted(tmp_path):
    path = tmp_path / "a.jsonl"
    save(path, {"q": [SHORT_CALM, SHORT_LIVELY, LONG_CALM, LONG_LIVELY], "same": ["One.", "Two."]})
    cut = {"prompt": [{"role": "user", "content": "q"}], "response": "It goes on and", "stopped": False}
    path.write_text(path.read_text() + json.dumps(cut) + "\n")
    source = OwnAnswers(str(path), poles=TWO, people_per_type=1, differ_in=1, pairs_per_prompt=9)
    table = source.load()
    # Six pairs; those of one length tie for two types, those of one tone for two: two each.
    assert table.counts == {"unfinished_answers": 1, "prompts_without_pairs": 1, "ties_dropped": 8}
    assert Counter(table.groups[int(group)].as_py() for group in table.group) == dict.fromkeys(
        ["concise", "long", "calm", "lively"], 4
    )


def test_levels_are_standard_deviations_over_all_answers(tmp_path):
    path = save(tmp_path / "a.jsonl", {"q": [SHORT_CALM, SHORT_LIVELY, LONG_CALM, LONG_LIVELY]})
    source = OwnAnswers(path, poles=TWO)
    levels = source.levels([SHORT_CALM, SHORT_LIVELY, LONG_CALM, LONG_LIVELY])
    # Two values each, half and half: one spread below the mean, or above.
    assert_allclose(levels, [[-1, -1], [-1, 1], [1, -1], [1, 1]])
    assert source.types["concise"] == {"log_words": -1.0}


def test_people_are_many_a_type_and_see_some_of_the_prompts(tmp_path):
    arguments = example(tmp_path)
    table = OwnAnswers(**arguments, choices_per_person=10).load()
    assert table.num_users == 4 * 8
    prompts = [len(np.unique(table.prompt[table.user == user])) for user in range(table.num_users)]
    assert set(prompts) == {10}


def test_what_cannot_be_chosen_from_is_refused(tmp_path):
    path = save(tmp_path / "a.jsonl", {"q": ["One.", "Two."]})
    with pytest.raises(ChoiceDataError, match="all answers have the same log_words"):
        OwnAnswers(path, poles=TWO).load()
    (tmp_path / "b.jsonl").write_text('{"prompt": "q", "response": "a"}\n')
    with pytest.raises(ChoiceDataError, match=r"b\.jsonl:1: prompt must be a chat"):
        OwnAnswers(str(tmp_path / "b.jsonl")).load()
    with pytest.raises(ConfigError, match="poles name"):
        OwnAnswers(path, poles={"length": ["a", "b"]})
    with pytest.raises(ConfigError, match="two types a measure"):
        OwnAnswers(path, poles={"log_words": ["a", "a"]})
