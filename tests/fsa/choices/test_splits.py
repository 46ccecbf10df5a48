"""Who goes where."""

import numpy as np
import pytest
from jsonargparse import ArgumentParser

from fsa.choices.splits import Splitter, split
from fsa.choices.table import ChoiceTable
from fsa.errors import ChoiceDataError, ConfigError
from fsa.types import Choice, Pick

# What hashlib alone gives for "prompt 0" to "prompt 11", cut at 0.5 and 0.75.
PINNED = [{1, 2, 6}, {0, 4, 5, 7, 8, 10}, {3, 9, 11}]


def table_of(num_users=60, num_prompts=50, split_of=lambda user, prompt: ""):
    return ChoiceTable.from_choices(
        Choice(f"user {u}", f"prompt {p}", (f"yes {p}", f"no {p}"), Pick(u % 2), "", split_of(u, p))
        for u in range(num_users)
        for p in range(num_prompts)
    )


def parts(splits):
    return [splits.train, splits.validation, splits.test]


def units(table, by):
    names = table.users.to_pylist() if by == "user" else [table.text(i) for i in np.unique(table.prompt)]
    return set(names)


def assert_disjoint(*sets):
    assert sum(map(len, sets)) == len(set().union(*sets))


@pytest.mark.parametrize("by", ["prompt", "user", "both"])
def test_splits_share_none_of_what_they_were_asked_to_separate(by):
    table = table_of()
    splits = split(table, by)
    for unit in ("prompt", "user") if by == "both" else (by,):
        train, validation, test = (units(part, unit) for part in parts(splits))
        assert_disjoint(train, validation, test)
    assert sum(splits.counts.values()) == len(table)
    assert [splits.counts[name] for name in ("train", "validation", "test")] == [
        len(part) for part in parts(splits)
    ]
    assert (splits.counts["dropped"] > 0) == (by == "both")


def test_fractions_are_met_in_expectation():
    splits = split(table_of(2, 2000), "prompt", fractions=(0.7, 0.2, 0.1))
    counts = [len(part) / 4000 for part in parts(splits)]
    assert counts == pytest.approx([0.7, 0.2, 0.1], abs=4 * 0.5 / np.sqrt(2000))


@pytest.mark.parametrize("by", ["prompt", "user"])
def test_more_data_moves_nobody(by):
    few, many = split(table_of(40, 40), by), split(table_of(60, 50), by)
    for before, after in zip(parts(few), parts(many), strict=True):
        assert units(before, by) <= units(after, by)


def test_a_known_prompt_stays_where_it_was():
    # The hash is part of what a run promises: this must hold in every release.
    places = [units(part, "prompt") for part in parts(split(table_of(2, 12), fractions=(0.5, 0.25, 0.25)))]
    assert [{int(name.split()[1]) for name in names} for names in places] == PINNED


def test_another_seed_is_another_partition():
    assert units(split(table_of(), seed=1).test, "prompt") != units(split(table_of(), seed=2).test, "prompt")


def test_records_say_where_they_go():
    names = ("train", "validation", "test")
    splits = split(table_of(split_of=lambda user, prompt: names[prompt % 3]), "record")
    for remainder, part in enumerate(parts(splits)):
        assert units(part, "prompt") == {f"prompt {p}" for p in range(50) if p % 3 == remainder}


@pytest.mark.parametrize("unit", ["prompt", "user"])
def test_a_missing_validation_split_is_cut_off_train(unit):
    def split_of(user, prompt):
        return "test" if (user if unit == "user" else prompt) < 10 else "train"

    splits = Splitter(by="record", validation_by=unit)(table_of(split_of=split_of))
    train, validation, test = (units(part, unit) for part in parts(splits))
    assert validation
    assert_disjoint(train, validation, test)
    assert len(test) == 10
    assert splits.counts["dropped"] == 0


def test_records_with_an_unknown_split_or_none_raise():
    with pytest.raises(
        ChoiceDataError, match=r"split must be one of train, validation, test .* came 'dev' in 60"
    ):
        split(table_of(split_of=lambda user, prompt: "train" if prompt else "dev"), "record")
    with pytest.raises(ChoiceDataError, match="came '' in 3000 choices"):
        split(table_of(), "record")


def test_an_unknown_split_that_was_selected_away_does_not_matter():
    table = table_of(split_of=lambda user, prompt: ["train", "test", "dev"][min(prompt, 2)])
    kept = table.select(table.split < 2)
    assert Splitter(by="record", validation_by="user")(kept).counts["test"] == 60


def test_an_empty_split_raises_and_says_what_to_do():
    with pytest.raises(ChoiceDataError, match=r"must hold choices.* about 1 prompts.* Split by another unit"):
        split(table_of(num_prompts=1), "prompt")
    with pytest.raises(ChoiceDataError, match="test must hold choices"):
        split(table_of(split_of=lambda user, prompt: "train"), "record")


def test_a_split_of_fraction_zero_may_be_empty():
    assert len(split(table_of(), fractions=(0.5, 0.0, 0.5)).validation) == 0
    splits = Splitter("record", fractions=(0.9, 0.1, 0.0))(table_of(split_of=lambda user, prompt: "train"))
    assert len(splits.test) == 0 < len(splits.validation)


@pytest.mark.parametrize("fractions", [(0.5, 0.5), (0.5, 0.6, -0.1), (0.5, 0.1, 0.1), (0.0, 0.5, 0.5)])
def test_wrong_fractions_raise(fractions):
    with pytest.raises(ConfigError, match="fractions must"):
        Splitter(fractions=fractions)


def test_a_command_line_can_set_it():
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--splits", type=Splitter, default=Splitter())
    parsed = parser.parse_args(["--splits.by", "user", "--splits.fractions", "[0.5, 0.25, 0.25]"])
    assert parser.instantiate(parsed).splits == Splitter("user", (0.5, 0.25, 0.25))


def of_kinds():
    """Users 0, 3, 6, ... are of the group "rare", the others of "common"."""
    return ChoiceTable.from_choices(
        Choice(
            f"user {u}",
            f"prompt {p}",
            (f"yes {p}", f"no {p}"),
            Pick(u % 2),
            ["rare", "common", "common"][u % 3],
        )
        for u in range(60)
        for p in range(30)
    )


@pytest.mark.parametrize("by", ["prompt", "user", "both"])
def test_users_of_an_unseen_group_are_in_test_alone(by):
    table = of_kinds()
    train, validation, test = parts(Splitter(by=by, unseen=("rare",), fractions=(0.5, 0.2, 0.3))(table))
    rare = {f"user {u}" for u in range(0, 60, 3)}
    assert units(test, "user") >= rare
    assert not (units(train, "user") | units(validation, "user")) & rare
    assert units(train, "user") | units(validation, "user")
    if by != "user":
        assert_disjoint(*(units(part, "prompt") for part in (train, validation, test)))


@pytest.mark.parametrize("by", ["prompt", "user", "both"])
def test_everybody_else_stays_where_they_were_when_a_group_is_unseen(by):
    table = of_kinds()
    before, after = Splitter(by=by)(table), Splitter(by=by, unseen=("rare",))(table)
    for one, other in zip(parts(before), parts(after), strict=True):
        common = [part.select(part.group == part.groups.index("common").as_py()) for part in (one, other)]
        assert units(common[0], "user") == units(common[1], "user")
        assert len(common[0]) == len(common[1])


def test_an_unseen_group_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match="unseen names rarest; the groups are common, rare"):
        Splitter(unseen=("rarest",))(of_kinds())


def test_what_a_split_by_both_drops_is_all_there_crossed():
    table, splitter = table_of(), Splitter(by="both", fractions=(0.5, 0.2, 0.3))
    splits = splitter(table)
    names = ("train", "validation", "test")
    crossed = {(u, p): splitter.crossed(table, u, p) for u in names for p in names}
    for name in names:
        assert len(crossed[name, name]) == len(getattr(splits, name))
    assert sum(map(len, crossed.values())) == len(table)
    new_people = crossed["test", "train"]
    assert units(new_people, "user") == units(splits.test, "user")
    assert units(new_people, "prompt") == units(splits.train, "prompt")


def test_nothing_crosses_in_a_split_by_one_unit():
    with pytest.raises(ConfigError, match="this one is by user"):
        Splitter(by="user").crossed(table_of(), "test", "train")


def test_turns_test_everyone_once():
    table = ChoiceTable.from_choices(Choice(f"u{i % 97}", f"p{i}", ("a", "b"), Pick(0)) for i in range(970))
    folds = [Splitter("user", (0.65, 0.15, 0.2), turn=k / 5)(table).test.users.to_pylist() for k in range(5)]
    assert sorted(user for fold in folds for user in fold) == sorted(table.users.to_pylist())
    assert min(map(len, folds)) > 0
    balanced = Splitter("user", (0.5, 1 / 97, 0.5 - 1 / 97), balanced=True)(table)
    assert [part.num_users for part in parts(balanced)] == [
        48,
        1,
        48,
    ]  # of ranks 0.5 to 96.5, 48 are below 48.5
    with pytest.raises(ConfigError, match="turn must be from 0 to below 1, came 1"):
        Splitter(turn=1.0)


def test_a_seed_of_more_than_64_bits_is_refused():
    with pytest.raises(ConfigError, match="seed must be a whole number of 64 bits, came 1000"):
        Splitter(seed=10**30)
