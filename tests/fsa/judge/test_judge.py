from fsa.judge.judge import Cost, Judge


class Silent(Judge):
    @property
    def attributes(self) -> tuple[str, ...]:
        return ("a",)

    def score(self, probes, progress=False):
        return []


def test_costs_add_up_and_what_came_before_is_taken_off():
    first, then = Cost(1, 10, 5, 0.5), Cost(2, 20, 7, 1.0)
    assert first + then == Cost(3, 30, 12, 1.5)
    assert (first + then) - first == then


def test_a_judge_that_asks_nobody_costs_nothing_and_learns_nothing():
    judge = Silent()
    judge.learn([])
    assert judge.cost == Cost()
