from fsa.types import Choice, Pick, Ranking, Tie, is_number, is_numbers


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


def test_numbers_are_told_from_texts_and_chats():
    assert is_number(1)
    assert is_number(0.5)
    assert not is_number(True)
    assert not is_number("1")
    assert is_numbers((0.5, 1))
    assert not any(is_numbers(option) for option in ("0.5", "", (), ({"role": "user", "content": "1"},)))
