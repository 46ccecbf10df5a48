"""What every source promises, asked of every source there is."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fsa.choices
from fsa.choices.helpsteer2 import ATTRIBUTES
from fsa.choices.source import Source
from fsa.choices.splits import split
from fsa.choices.table import ChoiceTable
from fsa.recipes.measuring.bayes import BayesPredictor
from tests.factories.exports import EXPORTS
from tests.factories.family import example, members


def jsonl_arguments(folder):
    lines = [
        {"user": f"u{i % 20}", "prompt": f"p{i % 7}", "options": [f"a{i % 5}", "b", "c"], **outcome}
        for i in range(300)
        for outcome in ({"chosen": i % 3}, {"ranking": [i % 3, (i + 1) % 3]})
    ]
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return {"path": str(folder / "a.jsonl")}


def helpsteer2_arguments(folder):
    rows = [
        {
            "prompt": f"p{i // 2}",
            "response": f"r{i}",
            **{name: (i * (k + 2)) % 5 for k, name in enumerate(ATTRIBUTES)},
        }
        for i in range(80)
    ]
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, rows[:60])))
    (folder / "validation.jsonl").write_text("\n".join(map(json.dumps, rows[60:])))
    return {"path": str(folder)}


def rows_arguments(folder):
    rows = [
        {"who": i % 20, "prompt": f"p{i % 7}", "options": [f"a{i % 5}", "b", "c"], "chosen": i % 3}
        for i in range(300)
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "a.parquet")
    return {"path": str(folder / "*.parquet"), "columns": {"user": "who"}}


def ultrafeedback_arguments(folder):
    def completion(i, k):
        ratings = {"helpfulness": 1 + (2 * i + k) % 5, "honesty": 1 + (3 * i + k) % 5}
        annotations = {name: {"Rating": str(rating)} for name, rating in ratings.items()}
        return {"response": f"r{k}", "annotations": annotations}

    rows = [{"instruction": f"p{i}", "completions": [completion(i, k) for k in range(4)]} for i in range(10)]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return {"path": str(folder), "users_per_type": 5, "prompts_per_user": 6}


def prism_arguments(folder):
    def answers(i):
        return [
            {"turn": 0, "role": "model", "content": f"a{k}", "score": 10 * k, "if_chosen": k == 3}
            for k in range(4)
        ]

    rows = [
        {
            "user_id": f"user{i % 10}",
            "conversation_history": [{"turn": 0, "role": "user", "content": f"q{i}"}, *answers(i)],
        }
        for i in range(30)
    ]
    (folder / "conversations.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return {"path": str(folder)}


def ratings_arguments(folder):
    rows = [
        {"user": f"u{i % 20}", "prompt": f"p{i % 7}", "response": f"r{i // 20}", "rating": i // 20 % 3}
        for i in range(600)
    ]
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return {"path": str(folder / "a.jsonl")}


def exported(tool):
    return lambda folder: {"path": EXPORTS[tool](folder)}


# How to make a small one of each; for other sources, `EXAMPLES` of the test file beside them say it.
ARGUMENTS = {
    "Jsonl": jsonl_arguments,
    "HelpSteer2": helpsteer2_arguments,
    "HelpSteer2Tastes": lambda folder: {**helpsteer2_arguments(folder), "num_users": 20},
    "Rows": rows_arguments,
    "Ratings": ratings_arguments,
    "UltraFeedback": ultrafeedback_arguments,
    "Prism": prism_arguments,
    "Argilla": exported("argilla"),
    "LabelStudio": exported("label-studio"),
    "Arena": exported("arena"),
    "PersonalRewardBench": exported("personal-reward-bench"),
    "CommunityAlignment": exported("community-alignment"),
    "Synthetic": lambda folder: {"num_users": 60, "choices_per_user": 10},
    "Sandbox": lambda folder: {"num_prompts": 60, "num_users": 30, "choices_per_user": 10},
}


SOURCES = members(fsa.choices, Source)


def test_the_sources_are_found():
    assert set(SOURCES) >= set(ARGUMENTS)
    assert len(ARGUMENTS) == 14


@pytest.fixture(params=SOURCES)
def source(request, tmp_path, monkeypatch) -> Source:
    monkeypatch.setenv("FSA_CACHE", str(tmp_path / "cache"))
    member = SOURCES[request.param]
    arguments = ARGUMENTS.get(request.param) or example(member)
    return member(**arguments(tmp_path))


def choices_of(table: ChoiceTable):
    return [table.choice(row) for row in range(len(table))]


def test_two_loads_give_the_same_choices_in_the_same_order(source):
    first, second = source.load(), source.load()
    assert len(first) > 0
    assert choices_of(first) == choices_of(second)
    np.testing.assert_array_equal(first.option, second.option)


def test_columns_agree_with_each_other(source):
    table = source.load()
    assert table.user_offsets[-1] == len(table.prompt) == len(table.group) == len(table.split)
    assert (np.diff(table.user_offsets) > 0).all()
    assert (table.num_options >= 2).all()
    assert table.option_offsets[-1] == len(table.option) == len(table.place)
    assert table.option.max() < table.num_items == len(table.item_response) == len(table.numbers)
    np.testing.assert_array_equal(table.item_prompt[table.option], np.repeat(table.prompt, table.num_options))
    assert all(0 in choice.outcome.places(len(choice.options)) for choice in choices_of(table))
    assert all(len(set(map(str, choice.options))) == len(choice.options) for choice in choices_of(table))


def test_a_saved_table_is_the_table(source, tmp_path):
    table = source.load()
    table.save(tmp_path / "t.arrow")
    assert choices_of(ChoiceTable.open(tmp_path / "t.arrow")) == choices_of(table)


def test_user_splits_share_no_user(source):
    splits = split(source.load(), "user", fractions=(0.4, 0.3, 0.3), seed=2)
    users = [set(part.users.to_pylist()) for part in (splits.train, splits.validation, splits.test)]
    assert all(users)
    assert sum(map(len, users)) == len(set().union(*users))


def test_truth_covers_every_item_and_finds_the_choices_likely(source):
    table = source.load()
    truth = source.truth(table)
    if truth is None:
        assert type(source).truth is Source.truth  # says nothing rather than something wrong
        return
    num_tastes = len(truth.log_prior)
    assert truth.rewards.shape == (num_tastes, table.num_items)
    assert np.exp(truth.log_prior).sum() == pytest.approx(1)
    rows = np.arange(len(table))
    log_likelihood = BayesPredictor(truth, table).log_likelihood(rows)
    assert log_likelihood.shape == (len(table), num_tastes)
    # Some taste makes a typical choice at least as likely as chance.
    assert (log_likelihood.max(-1) >= -np.log(table.num_options)).mean() > 0.9
