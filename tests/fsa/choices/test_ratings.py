"""Ratings of single responses in, choices out."""

import csv
import gzip
import json
from collections import Counter

import pytest

from fsa.choices.ratings import Ratings
from fsa.errors import ChoiceDataError, ConfigError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FSA_CACHE", str(tmp_path / "cache"))


def rated(*ratings, user="ann", prompt="Tea?", **more) -> list[dict]:
    """One response a rating: "0" rated with the first, "1" with the second ..."""
    return [
        {"user": user, "prompt": prompt, "response": str(i), "rating": rating, **more}
        for i, rating in enumerate(ratings)
    ]


def said(rows, **settings) -> set[tuple[str, str]]:
    """Responses of each choice, the better one first."""
    table = Ratings(rows, **settings).load()
    choices = [table.choice(row) for row in range(len(table))]
    return {(one.options[one.outcome.index], one.options[1 - one.outcome.index]) for one in choices}


def test_a_person_prefers_what_they_rate_higher():
    assert said(rated(5, 1)) == {("0", "1")}
    assert said(rated(1, 5)) == {("1", "0")}


def test_each_response_is_used_once_and_pairs_are_as_many_as_there_can_be():
    # 1-2 and 2-3 differ by the gap of 1: two pairs, though pairing 1 with 3 first would leave none.
    pairs = said(rated(1, 2, 2, 3))
    assert len(pairs) == 2
    assert sorted(response for pair in pairs for response in pair) == ["0", "1", "2", "3"]


def test_pairs_differ_by_the_smallest_gap_or_more():
    assert said(rated(1, 2, 4), smallest_gap=2) in ({("2", "0")}, {("2", "1")})
    with pytest.raises(ChoiceDataError, match=r"none \(2 ratings unpaired, 1 users without choices\)"):
        Ratings(rated(1, 2), smallest_gap=2).load()


def test_a_response_used_more_often_never_gives_a_pair_twice():
    table = Ratings(rated(1, -1, -1, -1, -1), max_uses=4).load()
    assert 1 <= len(table) <= 4
    assert len(said(rated(1, -1, -1, -1, -1), max_uses=4)) == len(table)


def test_people_prompts_and_splits_are_not_mixed():
    rows = [*rated(1), *rated(-1, user="bob"), *rated(-1, prompt="Milk?"), *rated(-1, split="test")]
    with pytest.raises(ChoiceDataError, match="4 ratings unpaired, 2 users without choices"):
        Ratings(rows).load()


def test_what_gave_no_pair_is_counted():
    rows = [*rated(1, -1, 1), *rated(1, user="bob"), *rated(-1)]  # ann rates "0" again, and now less
    table = Ratings(rows).load()
    assert table.counts == {"ratings_repeated": 1, "ratings_unpaired": 2, "users_without_choices": 1}
    assert said(rows) == {("2", "1")} or said(rows) == {("2", "0")}


def test_thumbs_are_words_truth_values_or_numbers():
    for up, down in ((True, False), ("up", "down"), ("Agree", "pass"), ("1", "-1"), ("4.5", 2), ("👍", "👎")):
        assert said(rated(up, down)) == {("0", "1")}


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({"rating": "five"}, 'rating must be a finite number, .* came "five"'),
        ({"rating": float("nan")}, "rating must be a finite number"),
        ({"rating": [1]}, "rating must be a finite number"),
        ({"rating": None}, "rating must be given, came null"),
        ({"response": 7}, "response must be a text or a list of messages, came 7"),
        ({"response": [0, 0]}, r"response must be a text or a list of messages, came \[0, 0\]"),
        ({"response": " "}, "response must be a text that is not blank"),
        ({"prompt": 3}, "prompt must be a text"),
        ({"user": 1.5}, "user must be a text, came 1.5"),
        ({"user": None}, "user must be given"),
        ({"group": []}, "group must be a text"),
    ],
)
def test_a_bad_row_is_one_error_with_row_and_field(row, what):
    rows = [*rated(1, -1), {**rated(1)[0], **row}]
    with pytest.raises(ChoiceDataError, match=rf"^row:3: {what}"):
        Ratings(rows).load()
    with pytest.warns(UserWarning, match="left out 1 bad records"):
        assert Ratings(rows, on_bad_record="skip").load().counts["bad_records"] == 1


def test_thumbs_over_different_prompts_pair_only_when_asked():
    rows = [row for i in range(4) for row in rated([1, -1][i % 2], prompt=f"p{i}")]
    rows = [{**row, "response": f"r{i}"} for i, row in enumerate(rows)]
    with pytest.raises(ChoiceDataError, match="4 ratings unpaired"):
        Ratings(rows).load()
    table = Ratings(rows, across_prompts=True).load()
    assert {table.choice(row).prompt for row in range(len(table))} == {""}
    assert {better in ("r0", "r2") for better, _ in said(rows, across_prompts=True)} == {True}
    assert len(table) == 2


def test_another_seed_draws_other_pairs_and_either_option_may_stand_first():
    rows = [row for user in range(40) for row in rated(1, 1, -1, -1, user=f"u{user}")]
    assert Ratings(rows, seed=0).load().option.tolist() == Ratings(rows, seed=0).load().option.tolist()
    assert Ratings(rows, seed=0).load().option.tolist() != Ratings(rows, seed=1).load().option.tolist()
    first_is_better = Ratings(rows).load().place[::2].mean()
    assert 0.3 < first_is_better < 0.7


def test_settings_out_of_range_are_refused():
    for settings in ({"max_uses": 0}, {"smallest_gap": 0.0}, {"smallest_gap": float("nan")}):
        with pytest.raises(ConfigError, match="max_uses must be >= 1"):
            Ratings([], **settings)
    with pytest.raises(ConfigError, match="columns maps stars"):
        Ratings([], columns={"stars": "x"})


def test_columns_are_mapped_and_a_prompt_may_be_missing(tmp_path):
    with open(tmp_path / "stars.csv", "w", newline="") as file:
        csv.writer(file).writerows([["who", "text", "stars"], [1, "Yes, please", 5], [1, "No,\nthanks", 2]])
    columns = {"user": "who", "response": "text", "rating": "stars"}
    choice = Ratings(str(tmp_path / "stars.csv"), columns=columns).load().choice(0)
    assert (choice.user, choice.prompt) == ("1", "")
    assert set(choice.options) == {"Yes, please", "No,\nthanks"}


def test_chats_are_rated_too(tmp_path):
    prompt = [{"role": "user", "content": "Tea?"}]
    rows = [
        {
            "user": "ann",
            "prompt": prompt,
            "response": [{"role": "assistant", "content": text}],
            "rating": stars,
        }
        for text, stars in (("Yes", 5), ("No", 1))
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    choice = Ratings(str(tmp_path / "a.jsonl")).load().choice(0)
    assert choice.options[choice.outcome.index] == ({"role": "assistant", "content": "Yes"},)


def test_every_vote_of_polis_that_can_meet_an_opposite_one_does(shared):
    path = shared / "data" / "people" / "polis_votes.csv.gz"
    votes = Counter()
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            votes[row["user"], row["prompt"], row["rating"]] += 1
    most = sum(
        min(count, votes[user, prompt, "-1"]) for (user, prompt, vote), count in votes.items() if vote == "1"
    )
    table = Ratings(str(path), smallest_gap=2).load()
    assert len(table) == most > 20_000
    assert table.counts["ratings_repeated"] == 0
    assert table.counts["ratings_unpaired"] == sum(votes.values()) - 2 * most
