"""Each figure of the bench at a tiny size; how fast anything is depends on the machine and is not asked."""

import os

import numpy as np
import pytest
import torch

import eval.bench.__main__ as recipe
import eval.bench.table as bench_table
from eval.bench.figures import Figure, as_table
from eval.bench.loader import PlainEpisodes, loader_speedup, loader_wait
from eval.bench.score import score_overhead
from eval.bench.table import large_table, open_and_draw, resident
from fsa.choices.sandbox import Sandbox
from fsa.cli.recipes import run_recipe
from fsa.reports.report import Report
from fsa.training.datamodule import EpisodeSettings
from tests.fsa.conftest import bert, own_cache, tokenizer

__all__ = ["bert", "own_cache", "tokenizer"]

pytestmark = pytest.mark.usefixtures("own_cache")


def values_of(figures: list[Figure]) -> dict[str, float]:
    assert len({figure.metric for figure in figures}) == len(figures)
    return {figure.metric: figure.value for figure in figures}


def test_a_figure_is_the_median_and_a_limit_is_kept_by_what_equals_it():
    assert Figure("m", "words", [3.0, 1.0, 2.0]).value == 2
    assert Figure("m", "words", [2.0], at_least=2).is_kept
    assert Figure("m", "words", [2.0], at_most=2).is_kept
    assert not Figure("m", "words", [1.9], at_least=2).is_kept
    assert not Figure("m", "words", [2.1], at_most=2).is_kept
    assert Figure("m", "words", [1e9]).is_kept
    assert as_table([Figure("m", "words", [1.0], at_most=2), Figure("n", "words", [1.0, 2.0])]).row_count == 2


@pytest.mark.parametrize("gathers", [False, True])
def test_a_plain_episode_holds_vectors_and_picks_of_one_user(gathers):
    table = Sandbox(num_users=3, choices_per_user=6, num_prompts=20).load()
    features = torch.arange(table.num_items, dtype=torch.float32)[:, None]
    plain = PlainEpisodes(table, features, EpisodeSettings(max_context=4, max_targets=3), gathers)
    pairs = table.option.reshape(-1, 2).tolist()  # of every choice
    chosen = table.place.reshape(-1, 2).argmin(1)
    for number in range(20):
        episode = plain[number]
        rows = []
        for part, size in (("context", 4), ("target", 3)):
            mask = episode[f"{part}_mask"]
            assert episode[f"{part}_features"].shape == (size, 2, 1)
            found = episode[f"{part}_features"][mask][..., 0].int().tolist()
            # A pair may be offered to several users, but only one has all of an episode's.
            rows.append([{row for row, pair in enumerate(pairs) if pair == options} for options in found])
            for candidates, pick in zip(rows[-1], episode[f"{part}_chosen"][mask].tolist(), strict=True):
                assert pick in chosen[list(candidates)]
            assert (episode[f"{part}_chosen"][~mask] == -1).all()
        users = [{int(table.user[row]) for row in candidates} for part in rows for candidates in part]
        assert set.intersection(*users)
        assert len(rows[1]) >= 1


def test_gathering_gives_the_same_episodes():
    table = Sandbox(num_users=3, choices_per_user=6, num_prompts=20).load()
    features = torch.randn(table.num_items, 5)
    slow, fast = (PlainEpisodes(table, features, EpisodeSettings(), gathers) for gathers in (False, True))
    for number in range(10):
        one, other = slow[number], fast[number]
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_loader_figures():
    values = values_of(loader_speedup(num_users=5, batches=3, repetitions=1))
    assert set(values) == {"loader_batches_per_second", "loader_speedup", "loader_speedup_over_gathering"}
    assert all(value > 0 for value in values.values())


@pytest.mark.slow
def test_waiting_is_a_share_of_a_step():
    values = values_of(loader_wait(num_users=5, steps=6, repetitions=1))
    assert len(values) == 4
    for name in ("loader_wait_percent", "loader_wait_percent_one_worker"):
        assert 0 < values[name] < 100
    assert values["step_milliseconds"] > 0


def test_a_table_is_opened_in_a_process_of_its_own(tmp_path):
    file = tmp_path / "table.arrow"
    Sandbox(num_users=20, choices_per_user=10).load().save(file)
    opened = bench_table._opened(file, draws=2)
    assert set(opened) == {"seconds", "episodes", "megabytes", "peak"}
    assert opened["seconds"] > 0
    assert opened["episodes"] > 0


def test_resident_memory_grows_by_what_is_touched():
    before, _ = resident()
    touched = np.ones(50_000_000 // 8)  # 50 MB
    after, peak = resident()
    assert after - before == pytest.approx(touched.nbytes / 1e6, abs=10)
    assert peak >= after - 1


def test_a_line_through_three_sizes_gives_ten_times_the_file(monkeypatch):
    monkeypatch.setattr(bench_table, "_opened", open_and_draw)  # here: a process takes seconds to start
    figures = large_table(num_choices=8000, repetitions=1, draws=2)
    values = values_of(figures)
    # Columns grow with the choices, texts do not: the file at ten times the size is less than ten times it.
    assert values["table_file_mb"] < values["table_file_mb_extrapolated"] < 10 * values["table_file_mb"]
    assert {figure.metric for figure in figures if figure.limit} == {
        "table_open_seconds",
        "table_resident_mb",
        "episodes_per_second",
    }


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_scoring_is_compared_with_the_backbone_alone(bert):
    before = os.environ["FSA_CACHE"]
    values = values_of(score_overhead(candidates=12, repetitions=1, backbone=str(bert)))
    assert os.environ["FSA_CACHE"] == before
    assert values["score_overhead"] == pytest.approx(values["score_seconds"] / values["bare_forward_seconds"])


def test_the_report_is_written_and_strict_ends_with_a_status(tmp_path, monkeypatch):
    for name in ("loader_speedup", "loader_wait", "large_table", "score_overhead", "policy_against_trl"):
        figure = Figure(name, name, [1.0, 3.0], at_most=1.5 if name == "loader_wait" else None)
        monkeypatch.setattr(recipe, name, lambda *_, figure=figure, **__: [figure])
    run_recipe(recipe.bench, ["--out", str(tmp_path)])
    report = Report.load(tmp_path)
    assert [(row.metric, row.value, row.n) for row in report.rows][:1] == [("loader_speedup", 2.0, 2)]
    assert report.about["ranges"]["loader_wait"] == [1.0, 3.0]
    with pytest.raises(SystemExit, match="limits missed: loader_wait"):
        run_recipe(recipe.bench, ["--out", str(tmp_path), "--strict", "true"])
