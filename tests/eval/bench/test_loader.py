import pytest
import torch

from eval.bench.loader import PlainEpisodes, loader_speedup, loader_wait
from fsa.choices.sandbox import Sandbox
from fsa.training.datamodule import EpisodeSettings
from tests.factories.bench import values_of


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
