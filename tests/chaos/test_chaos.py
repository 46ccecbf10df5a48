"""A short run: some kinds of work are killed and hindered, and nothing is lost."""

import os
from pathlib import Path
from random import Random

import pytest

from tests.chaos.__main__ import serve, works
from tests.chaos.harm import FAULTS, Chaos, Harmed
from tests.chaos.work import ALL, Work

KILLED = {"train.reward": 1, "features": 1, "score": 1, "adapter": 2, "steerable": 1}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Work]]:
    folder = tmp_path_factory.mktemp("chaos")
    before = os.environ.get("FSA_CACHE")
    found = {work.name: work for work in works(folder)}
    os.environ.pop("FSA_CACHE") if before is None else os.environ.update(FSA_CACHE=before)
    return folder, found


def all_well(found: list[Harmed]) -> None:
    wrong = [f"{one.work}, {one.harm}, {one.phase}: {one.wrong}" for one in found if one.wrong]
    assert not wrong, "\n".join(wrong)


def test_every_kind_of_work_has_a_name_of_its_own(small):
    assert len(small[1]) == len(ALL)
    assert KILLED.keys() <= small[1].keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(KILLED))
def test_work_that_is_killed_and_goes_on_ends_as_if_nothing_had_been(name, small):
    folder, found = small
    chaos = Chaos(found[name], folder / "killed", Random(0))
    killed = list(chaos.kills(KILLED[name]))
    assert len(killed) == KILLED[name]
    all_well(killed)


@pytest.mark.slow
def test_a_full_disk_no_cache_two_at_once_and_a_clock_set_back_lose_nothing(small):
    folder, found = small
    chaos = Chaos(found["adapter"], folder / "faults", Random(1))
    all_well([chaos.fault(kind) for kind in FAULTS])


@pytest.mark.slow
def test_a_server_that_is_killed_has_kept_what_it_had_answered(small):
    all_well(serve(small[0], 2, Random(0)))
