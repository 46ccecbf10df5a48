"""What every encoder promises, checked on every one that the folder holds."""

import importlib
import inspect
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

import fsa.encoders
from fsa.encoders.encoder import ContextEncoder
from fsa.types import ChoiceBatch

D_FEATURE, D_BELIEF = 5, 4


def members() -> list[type[ContextEncoder]]:
    for path in sorted(Path(fsa.encoders.__file__).parent.glob("*.py")):
        importlib.import_module(f"fsa.encoders.{path.stem}")
    found, queue = [], [ContextEncoder]
    while queue:
        queue += (family := queue.pop().__subclasses__())
        found += [member for member in family if not inspect.isabstract(member)]
    return [member for member in found if member.__module__.startswith("fsa.encoders.")]


def variants() -> list:
    """Each member as it comes, and with every option that changes what it is."""
    options = {"spread": True, "hidden": [8], "squash": 8}
    cases = []
    for member in members():
        known = [name for name in options if name in inspect.signature(member).parameters]
        for i in range(2 ** len(known)):
            chosen = {name: options[name] for bit, name in enumerate(known) if i >> bit & 1}
            cases.append(pytest.param(member, chosen, id="-".join([member.__name__, *chosen])))
    return cases


def test_the_folder_holds_the_members_we_know_of():
    assert {member.__name__ for member in members()} >= {"NoContext", "DeepSet", "SelfAttention"}


def make(member: type[ContextEncoder], options: dict) -> ContextEncoder:
    torch.manual_seed(0)
    return member(D_FEATURE, D_BELIEF, **options).eval().double()


def choices(users: int = 3, n: int = 6, k: int = 3, seed: int = 0) -> ChoiceBatch:
    """Picks, rankings and ties, some with an option less."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(users, n, k, D_FEATURE, generator=generator, dtype=torch.float64)
    known = torch.tensor([[0, 1, 1], [1, 0, 2], [1, 0, -1], [0, 0, 1], [2, 1, 0], [0, 1, -1]])
    places = known[torch.arange(users * n).reshape(users, n) % len(known)]
    return ChoiceBatch(features, places, torch.arange(users * n).reshape(users, n))


@pytest.mark.parametrize(("member", "options"), variants())
class TestEncoder:
    def test_order_of_choices_makes_no_difference(self, member, options):
        encoder, batch = make(member, options), choices()
        order = torch.tensor([3, 0, 5, 1, 4, 2])
        shuffled = ChoiceBatch(batch.features[:, order], batch.places[:, order], batch.rows[:, order])
        assert_close(encoder(shuffled).mean, encoder(batch).mean)
        assert_close(encoder(shuffled).std, encoder(batch).std)

    def test_padding_makes_no_difference(self, member, options):
        encoder, batch = make(member, options), choices()
        features = torch.full((3, 9, 5, D_FEATURE), 1e3, dtype=torch.float64)
        places, rows = torch.full((3, 9, 5), -1), torch.full((3, 9), -1)
        features[:, :6, :3] = torch.where(batch.option_mask.unsqueeze(-1), batch.features, 1e3)
        places[:, :6, :3], rows[:, :6] = batch.places, batch.rows
        padded = encoder(ChoiceBatch(features, places, rows))
        assert_close(padded.mean, encoder(batch).mean)
        assert_close(padded.std, encoder(batch).std)

    def test_a_user_is_read_the_same_in_any_company(self, member, options):
        encoder, batch = make(member, options), choices()
        alone = encoder(ChoiceBatch(batch.features[1:2], batch.places[1:2], batch.rows[1:2]))
        assert_close(alone.mean, encoder(batch).mean[1:2])
        assert_close(alone.std, encoder(batch).std[1:2])

    def test_an_empty_context_gives_a_finite_belief_padded_or_not(self, member, options):
        encoder = make(member, options)
        nothing = encoder(choices(users=2, n=0))
        padding = ChoiceBatch(
            torch.full((2, 3, 2, D_FEATURE), 1e3, dtype=torch.float64),
            torch.full((2, 3, 2), -1),
            torch.full((2, 3), -1),
        )
        for belief in (nothing, encoder(padding)):
            assert belief.mean.shape == belief.std.shape == (2, D_BELIEF)
            assert belief.mean.isfinite().all()
            assert_close(belief.mean, nothing.mean)
            assert_close(belief.std, nothing.std)
            if not encoder.has_learned_prior:
                assert_close(belief.std, torch.full_like(belief.std, float(encoder.has_spread)))

    def test_has_spread_says_what_the_beliefs_are(self, member, options):
        encoder = make(member, options)
        std = encoder(choices()).std
        assert (std > 0).all() if encoder.has_spread else (std == 0).all()
        if "spread" in inspect.signature(member).parameters:
            assert encoder.has_spread == options.get("spread", False)

    def test_spread_shrinks_with_evidence_whichever_way_it_points(self, member, options):
        encoder, batch = make(member, options), choices()
        if not encoder.has_spread:
            assert encoder(batch).std.eq(0).all()
            return
        few = ChoiceBatch(batch.features[:, :2], batch.places[:, :2], batch.rows[:, :2])
        if encoder.has_learned_prior:
            # Between kinds of people one may be less sure for a while; and what the population says makes a
            # choice and its opposite differ.
            for seen, less in ((batch, few), (batch.reversed(), few.reversed())):
                assert encoder(seen).std.mean() < encoder(less).std.mean()
            return
        assert (encoder(batch).std < encoder(few).std).all()
        assert (encoder(few).std < 1).all()
        assert_close(encoder(batch.reversed()).std, encoder(batch).std)

    def test_gradients_reach_every_parameter(self, member, options):
        encoder = make(member, options)
        belief = encoder(choices())
        weight = torch.randn(3, D_BELIEF, dtype=torch.float64)
        ((belief.mean + belief.std) * weight).sum().requires_grad_().backward()
        for name, parameter in encoder.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 1e-9, name

    def test_a_set_of_50_is_as_well_scaled_as_a_set_of_3(self, member, options):
        """The pool may grow while evidence is scarce, by less than it would if it were a sum."""
        encoder = make(member, options)
        small, large = (encoder(choices(users=64, n=n, seed=n)).mean.square().mean().sqrt() for n in (3, 50))
        assert large <= 2 * small  # a sum of random evidence grows by sqrt(50 / 3) = 4.1
        assert large >= 0.1 * small

    def test_the_same_choice_50_times_stays_in_range(self, member, options):
        encoder, batch = make(member, options), choices(users=8, n=1)
        once, often = (
            encoder(
                ChoiceBatch(
                    *(part.repeat_interleave(times, 1) for part in (batch.features, batch.places, batch.rows))
                )
            )
            for times in (3, 50)
        )
        start = encoder(choices(users=1, n=0)).std.max()
        # A sum grows by 16.7; where there is a prior, its own width is within range.
        assert often.mean.abs().max() <= 3 * torch.maximum(once.mean.abs().max(), start)
