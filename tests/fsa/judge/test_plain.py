"""The plain judge is the comparative one without the comparison."""

from fsa.judge.comparative import ComparativeJudge
from fsa.judge.plain import PlainJudge
from tests.factories.judges import Scripted, by_length, rated

# A small one, for the family's contract.
EXAMPLES = {"PlainJudge": lambda: PlainJudge(Scripted(by_length), attributes=["verbosity"])}


def test_one_request_a_response_instead_of_one_for_all():
    assert PlainJudge(Scripted(rated)).groups(3) == [(0,), (1,), (2,)]
    assert ComparativeJudge(Scripted(rated)).groups(3) == [(0, 1, 2)]
