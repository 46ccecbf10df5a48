from fsa.errors import FsaError
from fsa.serve import problems


def kinds() -> list[type[problems.Problem]]:
    found = [
        one for one in vars(problems).values() if isinstance(one, type) and issubclass(one, problems.Problem)
    ]
    assert len(found) >= 9
    return found


def test_every_problem_is_a_client_error_or_says_when_to_come_again():
    for kind in kinds():
        assert issubclass(kind, FsaError)
        assert 400 <= kind.status < 500 or kind.retry_after


def test_no_two_problems_share_a_status_or_a_word():
    assert len({kind.status for kind in kinds()}) == len({kind.kind for kind in kinds()}) == len(kinds())
