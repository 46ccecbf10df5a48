"""Episodes: what is seen and what is predicted share nothing, and item i is item i."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsa.choices.table import ChoiceTable
from fsa.episodes.sampler import EpisodeSampler
from fsa.errors import EpisodeError
from fsa.types import Choice, Pick
from tests.factories.episodes import Episode


def table_of(prompts_of_each: list[list[int]], options: int = 50, seed: int = 0) -> ChoiceTable:
    """One user per list, one choice per prompt number; two or three options out of `options` texts."""
    rng = np.random.default_rng(seed)
    choices = []
    for user, prompts in enumerate(prompts_of_each):
        for prompt in prompts:
            k = int(rng.integers(2, 4))
            texts = tuple(f"r{i}" for i in rng.choice(options, k, replace=False))
            choices.append(Choice(f"u{user}", f"p{prompt}", texts, Pick(int(rng.integers(k)))))
    return ChoiceTable.from_choices(choices)


def episodes_of(sampler: EpisodeSampler, index: np.ndarray) -> list[Episode]:
    """Episodes as objects: their constructor refuses any overlap."""
    rows, table = sampler.draw(index), sampler.table
    return [
        Episode(
            tuple(table.choice(int(row)) for row in context if row >= 0),
            tuple(table.choice(int(row)) for row in target if row >= 0),
        )
        for context, target in zip(rows.context, rows.target, strict=True)
    ]


class TestEpisode:
    def choice(self, prompt, *options) -> Choice:
        return Choice("ann", prompt, options or ("yes", "no"), Pick(0))

    def test_an_empty_context_is_legal_and_an_empty_target_is_not(self):
        assert Episode((), (self.choice("a"),)).context == ()
        with pytest.raises(EpisodeError, match="target is empty"):
            Episode((self.choice("a"),), ())

    def test_a_shared_prompt_is_refused(self):
        with pytest.raises(EpisodeError, match="share the prompt 'b'"):
            Episode((self.choice("a"), self.choice("b")), (self.choice("c"), self.choice("b")))

    def test_prompts_may_share_responses(self):
        assert len(Episode((self.choice("a"),), (self.choice("b"),)).target) == 1

    def test_with_a_single_prompt_a_shared_response_is_refused(self):
        with pytest.raises(EpisodeError, match="share the response 'y'"):
            Episode((self.choice("a", "x", "y"),), (self.choice("a", "y", "z"),))
        assert Episode((self.choice("a", "x", "y"),), (self.choice("a", "v", "w"),))

    def test_numbers_are_responses_too(self):
        with pytest.raises(EpisodeError, match=r"share the response \(0.5,\)"):
            Episode((self.choice("", (0.5,), (0.1,)),), (self.choice("", (0.7,), (0.5,)),))

    def test_chats_are_compared_by_what_they_say(self):
        def chat(text: str) -> tuple[dict[str, str], ...]:
            return ({"role": "user", "content": text},)

        assert Episode((self.choice(chat("a")),), (self.choice(chat("b")),))
        with pytest.raises(EpisodeError, match="share the prompt"):
            Episode((self.choice(chat("a")), self.choice(chat("c"))), (self.choice(chat("a")),))
        with pytest.raises(EpisodeError, match="share the response"):
            Episode((self.choice("p", chat("a"), chat("b")),), (self.choice("p", chat("b"), chat("c")),))


users = st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=15), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(users, st.integers(0, 2**40), st.integers(0, 10), st.integers(1, 10), st.booleans())
def test_context_and_target_never_overlap(prompts, seed, max_context, max_targets, in_turn):
    sampler = EpisodeSampler(table_of(prompts, options=12), max_context, max_targets, seed, in_turn)
    for episode in episodes_of(sampler, np.arange(20)):
        assert len(episode.context) <= max_context
        assert 1 <= len(episode.target) <= max_targets
        assert len({c.user for c in episode.context + episode.target}) == 1


def test_single_prompt_users_are_split_by_response():
    sampler = EpisodeSampler(table_of([[0] * 60, [0] * 60], options=40), max_context=10, seed=1)
    found = episodes_of(sampler, np.arange(100))
    assert max(len(episode.context) for episode in found) == 10
    assert min(len(episode.target) for episode in found) >= 1


def test_an_episode_depends_on_seed_and_number_alone():
    table = table_of([list(range(30))] * 20)
    whole = EpisodeSampler(table, seed=7).draw(np.arange(64))
    tail = EpisodeSampler(table, seed=7).draw(np.arange(50, 64))
    other = EpisodeSampler(table, seed=8).draw(np.arange(64))
    for i in range(14):
        for part in ("context", "target"):
            early, late = getattr(whole, part)[50 + i], getattr(tail, part)[i]
            assert early[early >= 0].tolist() == late[late >= 0].tolist()
    assert not np.array_equal(whole.user, other.user)


def test_context_sizes_vary_inside_a_batch_and_reach_both_ends():
    rows = EpisodeSampler(table_of([list(range(60))] * 3), max_context=5).draw(np.arange(600))
    sizes = np.bincount((rows.context >= 0).sum(1), minlength=6)
    # Uniform over six sizes: 100 each, standard deviation 9.
    assert sizes.min() > 60
    assert sizes.max() < 140


def test_context_is_as_large_as_wanted_where_the_prompts_allow_it():
    # Six prompts of ten choices each: a target prompt is set aside, 50 choices are left for a context of 20.
    sampler = EpisodeSampler(table_of([[p for p in range(6) for _ in range(10)]] * 4), max_context=20)
    rows = sampler.draw(np.arange(200))
    assert rows.num_shortened == 0


def test_what_had_to_be_shortened_is_counted():
    # Two prompts of one choice each: one is the target, so no context is larger than one.
    sampler = EpisodeSampler(table_of([[0, 1]]), max_context=3)
    rows = sampler.draw(np.arange(400))
    assert rows.num_shortened == (rows.wanted > 1).sum()
    assert rows.num_shortened > 150


def test_the_mean_of_choices_seen_counts_those_that_are_there():
    # Users of 2 and of 4 prompts, one target each: contexts of at most 1 and 3.
    rows = EpisodeSampler(table_of([[0, 1], [0, 1, 2, 3]]), max_context=10, in_turn=True).draw(np.arange(40))
    assert [rows.mean_seen(size) for size in (0, 1, 2, 10)] == [0.0, 1.0, 1.5, 2.0]


def test_every_choice_is_target_about_equally_often():
    table = table_of([list(range(200))])
    rows = EpisodeSampler(table, max_context=5, max_targets=5).draw(np.arange(4000))
    counts = np.bincount(rows.target[rows.target >= 0], minlength=200)
    # 4000 x 5 targets over 200 choices: 100 each, standard deviation about 10.
    assert 60 < counts.min() <= counts.max() < 140


def test_in_turn_users_asked_the_same_get_the_same_draw():
    options = [(f"a{i}", f"b{i}") for i in range(40)]
    choices = [Choice(f"u{u}", f"p{i}", options[i], Pick(u)) for u in range(2) for i in range(40)]
    choices += [Choice("other", f"p{i}", options[39 - i], Pick(0)) for i in range(40)]
    sampler = EpisodeSampler(ChoiceTable.from_choices(choices), max_context=4, seed=3, in_turn=True)
    rows = sampler.draw(np.arange(3))
    assert rows.user.tolist() == [0, 1, 2]
    assert (rows.context[1] - rows.context[0] == 40).all()
    assert not np.array_equal(rows.context[2] - 80, rows.context[0])


def test_with_context_keeps_targets_and_takes_the_first_choices():
    rows = EpisodeSampler(table_of([list(range(40))] * 2), max_context=8, seed=2, in_turn=True).draw(
        np.arange(10)
    )
    short = rows.with_context(3)
    assert short.context.tolist() == rows.context[:, :3].tolist()
    assert short.target.tolist() == rows.target.tolist()
    assert short.num_shortened == 0


def test_an_empty_table_is_refused():
    table = table_of([[0, 1]])
    with pytest.raises(EpisodeError, match="no choices"):
        EpisodeSampler(table.select(np.zeros(2, bool)))


def test_episodes_without_context_can_be_parted():
    sampler = EpisodeSampler(table_of([list(range(6))] * 4), max_context=3)
    episodes = sampler.draw(np.arange(4)).with_context(0)
    assert [part.context.shape for part in episodes.split(2)] == [(2, 0), (2, 0)]
    assert episodes.part(slice(1, 4)).context.shape == (3, 0)
    assert episodes.part(slice(1, 4)).index.tolist() == [1, 2, 3]
