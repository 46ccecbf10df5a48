from eval.generations.answers import AnswerWriter, Writing
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
