"""Whom stand-ins for policies are asked about."""

import pytest

from eval.generations.people import HeldOutPanel, choose
from fsa.choices.sandbox import Sandbox
from tests.factories.stand_in_policy import ARGUMENTS, BOTH


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    return Sandbox(**ARGUMENTS)


@pytest.fixture(scope="session")
def field(sandbox) -> HeldOutPanel:
    return choose(BOTH(sandbox.load()).test, people=4, prompts=6, max_context=8, max_others=20, seed=1)
