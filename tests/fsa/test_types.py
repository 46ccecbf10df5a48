import pytest

from fsa.errors import EpisodeError
from fsa.types import Choice, Episode, Pick, Ranking, Tie, is_number, is_numbers


class TestChoice:
    def choice(self, outcome, k: int) -> Choice:
        return Choice("ann", "Hi", tuple(f"reply {i}" for i in range(k)), outcome, group="g", split="train")

    def test_the_opposite_of_a_pick_between_two_is_the_other(self):
        assert self.choice(Pick(0), 2).reversed() == self.choice(Pick(1), 2)

    def test_the_opposite_of_a_pick_among_three_is_anything_but(self):
        assert self.choice(Pick(1), 3).reversed() == self.choice(Tie((0, 2)), 3)

    def test_the_opposite_of_a_ranking_runs_backwards(self):
        assert self.choice(Ranking((2, 0, 1)), 3).reversed() == self.choice(Ranking((1, 0, 2)), 3)

    def test_a_complete_tie_is_its_own_opposite(self):
        assert self.choice(Tie((0, 1)), 2).reversed() == self.choice(Tie((0, 1)), 2)


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


def test_numbers_are_told_from_texts_and_chats():
    assert is_number(1)
    assert is_number(0.5)
    assert not is_number(True)
    assert not is_number("1")
    assert is_numbers((0.5, 1))
    assert not any(is_numbers(option) for option in ("0.5", "", (), ({"role": "user", "content": "1"},)))
