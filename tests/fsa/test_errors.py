import fsa.errors
from fsa.errors import FsaError


def test_every_error_of_ours_can_be_caught_as_one_and_as_pythons_own():
    kinds = [one for one in vars(fsa.errors).values() if isinstance(one, type) and issubclass(one, FsaError)]
    assert len(kinds) >= 7
    for kind in kinds:
        assert issubclass(kind, Exception)
        assert str(kind("what, allowed, came")) == "what, allowed, came"
        assert kind.__doc__
