"""A short run of every fuzzer, and proof that they notice faults that were mended."""

import pytest

from tests.fuzz.put_back import MENDED, put_back
from tests.fuzz.running import fuzz
from tests.fuzz.targets import TARGETS

CASES = 200
FEWER = {"commands": 70}  # each a command of the whole package
BY_NAME = {target.name: target for target in TARGETS}


def test_a_whole_run_has_ten_thousand_cases():
    assert sum(target.cases for target in TARGETS) >= 10_000
    assert sum(target.cases for target in TARGETS if target.name in ("requests", "schema")) >= 2000


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_nothing_fails_in_a_short_run(name, tmp_path):
    target = BY_NAME[name]
    cases = FEWER.get(name, CASES) // getattr(target, "each", 1)
    counts = fuzz(target, cases, tmp_path)
    print(counts)
    assert not counts.failures, "\n".join(
        f"case {number}: {tried.what}: {tried.why}\n{tried.said[-500:]}"
        for number, tried in counts.failures[:5]
    )
    assert counts.tried == cases
    assert counts.verdicts["refused"] >= cases / 10, "hardly anything is refused: what is it that is tried?"
    assert counts.verdicts["accepted"] >= cases / 100, "hardly anything is accepted"


@pytest.mark.slow
@pytest.mark.parametrize("fault", sorted(MENDED))
def test_a_mended_fault_that_is_put_back_is_found(fault, tmp_path):
    with put_back(fault):
        target = BY_NAME[MENDED[fault].target]
        counts = fuzz(target, target.cases, tmp_path, to_first_failure=True)
    assert counts.failures, MENDED[fault].what
