import pytest

from fsa.errors import ConfigError
from fsa.settings import Range, setting, settings


@settings
class Pace:
    """How fast."""

    steps: int = setting(default=10, doc="Steps of the whole run.", at_least=1)
    rate: float = setting(default=0.5, doc="Share.", above=0, below=1)
    kind: str = setting(default="slow", doc="Which.", one_of=["slow", "fast"])
    sizes: list[int] = setting(default=[1, 2], doc="Sizes.", at_least=0, not_empty=True)
    most: int | None = setting(default=None, doc="Most.", at_most=5)

    def check(self) -> None:
        if self.kind == "fast" and self.steps > 100:
            raise ConfigError("fast is for short runs")


def test_defaults_and_values_in_range_pass_and_lists_are_kept_as_tuples():
    assert (Pace().steps, Pace().sizes, Pace(sizes=[3]).sizes) == (10, (1, 2), (3,))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"steps": 0}, "steps is 0; it must be >= 1"),
        ({"steps": 10**400}, "steps is 1000"),
        ({"rate": 1.0}, "rate is 1.0; it must be > 0 and < 1"),
        ({"rate": float("nan")}, "rate is nan"),
        ({"kind": "medium"}, "kind is 'medium'; it must be one of slow, fast"),
        ({"sizes": [1, -1]}, r"sizes\[1\] is -1"),
        ({"sizes": []}, "sizes is empty"),
        ({"most": 6}, "most is 6; it must be <= 5"),
        ({"kind": "fast", "steps": 101}, "fast is for short runs"),
    ],
)
def test_an_object_that_exists_makes_sense(given, said):
    with pytest.raises(ConfigError, match=said):
        Pace(**given)


def test_the_docs_say_what_each_value_may_be():
    assert "steps: Steps of the whole run. (>= 1)" in (Pace.__doc__ or "")
    assert str(Range(at_least=0, below=1)) == ">= 0 and < 1"
