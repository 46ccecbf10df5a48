import pytest

from eval.generations.answers import AnswerWriter, Writing, log_of
from fsa.errors import ConfigError
from tests.factories.stand_in_policy import StandIn


def test_one_belief_asked_one_prompt_is_answered_once_whoever_holds_it(field):
    policy = StandIn()
    answers = AnswerWriter(policy, Writing())
    people = policy.for_users([subject.choices for subject in field.subjects[:2]])
    found = answers.of(people, ["p", "q"])
    assert found.shape == (2, 2, 1)
    asked = len(policy.asked)
    again = answers.of([*people, people[0]], ["q", "p"])
    assert len(policy.asked) == asked
    assert (again[:2, ::-1] == found).all()
    assert (again[2] == again[0]).all()


def test_the_reference_answers_once_however_many_samples_it_shares_where_nothing_is_drawn():
    policy = StandIn()
    found = AnswerWriter(policy, Writing(shared_samples=4)).shared(None, ["p"])
    assert found.shape == (1, 1, 1)
    assert found[0, 0, 0] == policy.answer(None, "p")


def test_answers_of_a_run_that_was_cut_off_are_not_asked_for_again(field, tmp_path):
    def write(policy: StandIn):
        log = log_of(tmp_path / "answers.jsonl", tmp_path, Writing(batch_size=2))
        answers = AnswerWriter(policy, Writing(batch_size=2), log=log)
        people = policy.for_users([subject.choices for subject in field.subjects[:3]])
        return answers.of(people, ["p", "long one"])

    class Stops(StandIn):
        def generate(self, people, prompts, batch_size, progress, **options):
            if len(self.asked) >= 2:
                raise KeyboardInterrupt
            return super().generate(people, prompts, batch_size, progress, **options)

    first, second = Stops(), StandIn()
    with pytest.raises(KeyboardInterrupt):
        write(first)
    found = write(second)
    assert len(first.asked) == 2
    assert {repr(one) for one in second.asked}.isdisjoint(repr(one) for one in first.asked)
    assert (found == write(StandIn())).all()
    with pytest.raises(ConfigError, match="another method or data"):
        log_of(tmp_path / "answers.jsonl", tmp_path, Writing(seed=2))
