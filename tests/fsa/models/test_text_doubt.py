import torch
from torch.testing import assert_close

from fsa.models.text_doubt import Seen, TextDoubt, moment
from fsa.types import Belief


def seen(n: int = 50, f: int = 6, z: int = 3, seed: int = 0) -> Seen:
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    latent = draw(n, z)
    return Seen(draw(n, f), draw(n, 1, f), latent.T @ latent, torch.full((n,), 0.2))


def fitted(choices: Seen, num_choices: int | None = None) -> TextDoubt:
    doubt = TextDoubt((3.0, 30.0))
    doubt.fit([choices], num_choices or len(choices.weight))
    return doubt


def belief(mean: torch.Tensor) -> Belief:
    return Belief.point(mean.unsqueeze(0))


def test_without_a_fit_there_is_none():
    nothing = TextDoubt((3.0, 30.0)).variance(
        torch.ones(1, 2, 6), torch.ones(1, 2, 1, 6), belief(torch.ones(3))
    )
    assert nothing is None


def test_variances_are_those_of_the_dense_posteriors():
    choices, mean = seen(), torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
    population, taste = torch.randn(1, 4, 6).double(), torch.randn(1, 4, 6).double()
    found = fitted(choices).variance(population, taste.unsqueeze(-2), belief(mean))
    information = [p.T @ (0.2 * p) for p in (choices.population, choices.taste[:, 0])]
    of_population = torch.linalg.inv(information[0] + 3 * torch.eye(6))
    dense = torch.kron(choices.latent / 50, information[1]) + 30 * torch.eye(18)
    both = torch.einsum("z,bnf->bnzf", mean, taste).flatten(2)
    expected = ((population @ of_population) * population).sum(-1)
    expected += ((both @ torch.linalg.inv(dense)) * both).sum(-1)
    assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_each_member_has_weights_of_its_own_and_their_mean_the_mean_of_the_doubts():
    one, other = seen(), seen(seed=1)
    together = Seen(
        one.population,
        torch.cat([one.taste, other.taste], 1),
        torch.block_diag(one.latent, other.latent) / 2,
        one.weight,
    )
    population = torch.zeros(1, 4, 6).double()  # of which there is one
    tastes = [torch.randn(1, 4, 1, 6, generator=torch.Generator().manual_seed(i)).double() for i in range(2)]
    means = [torch.tensor([0.5, -1.0, 2.0]).double(), torch.tensor([1.0, 0.0, 0.3]).double()]
    # Half of the weight is at either member's latents, the other's being zero.
    mixed = torch.block_diag(*[mean.outer(mean) / 2 for mean in means])
    factor = torch.linalg.cholesky(mixed + 1e-12 * torch.eye(6))
    found = fitted(together).variance(
        population, torch.cat(tastes, -2), Belief.of_factor(torch.zeros(1, 6).double(), factor.unsqueeze(0))
    )
    alone = [
        fitted(of).variance(population, taste, belief(mean))
        for of, taste, mean in zip((one, other), tastes, means, strict=True)
    ]
    assert_close(found, (alone[0] + alone[1]) / 2, rtol=1e-4, atol=1e-6)


def test_a_fit_of_before_members_were_told_apart_gives_none():
    before = fitted(seen())
    for name in ("taste_axes", "taste_known", "latent_axes"):
        setattr(before, name, getattr(before, name)[0])
    population, taste, of = torch.randn(1, 2, 6), torch.randn(1, 2, 1, 6), belief(torch.ones(3))
    assert_close(before.variance(population, taste, of), fitted(seen()).variance(population, taste, of))
    assert before.variance(population, taste.expand(1, 2, 3, 6), of) is None


def test_more_choices_leave_less_doubt_and_what_none_was_about_keeps_the_prior_s():
    choices = seen()
    choices.population[:, 0] = choices.taste[:, 0, 0] = 0.0
    mean = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    along = torch.eye(6, dtype=torch.float64).unsqueeze(0)  # one direction a feature
    few, many = (fitted(choices, n).variance(along, along.unsqueeze(-2), belief(mean)) for n in (50, 5000))
    assert_close(few[0, 0], torch.tensor(1 / 3 + 1 / 30).double(), rtol=1e-5, atol=0)
    assert_close(many[0, 0], few[0, 0])
    assert (many[0, 1:] < few[0, 1:] / 5).all()


def test_the_second_moment_is_of_mean_and_spread():
    mean, factor = torch.tensor([[1.0, 2.0]]), torch.tensor([[[1.0, 0.0], [0.5, 2.0]]])
    assert_close(moment(Belief.of_factor(mean, factor)), factor @ factor.mT + mean.mT @ mean)
    assert_close(moment(Belief(mean, torch.tensor([[3.0, 4.0]]))), torch.tensor([[[10.0, 2.0], [2.0, 20.0]]]))


def test_stored_tensors_make_room_for_themselves():
    stored = fitted(seen()).state_dict()
    other = TextDoubt((3.0, 30.0))
    assert not other.state_dict()
    other.resize_buffers(stored)
    other.load_state_dict(stored)
    population, taste = torch.randn(1, 2, 6), torch.randn(1, 2, 6)
    of = belief(torch.ones(3))
    assert_close(
        other.variance(population, taste.unsqueeze(-2), of),
        fitted(seen()).variance(population, taste.unsqueeze(-2), of),
    )


def test_the_prior_is_the_one_of_the_fit_whatever_the_model_is_opened_with():
    stored, other = fitted(seen()).state_dict(), TextDoubt((3.0, 300.0))
    other.resize_buffers(stored)
    other.load_state_dict(stored)
    assert other.prior.tolist() == [3.0, 30.0]
    population, taste = torch.randn(1, 2, 6), torch.randn(1, 2, 6)
    of, before = belief(torch.ones(3)), fitted(seen())
    assert_close(
        other.variance(population, taste.unsqueeze(-2), of),
        before.variance(population, taste.unsqueeze(-2), of),
    )
    before.prior = None  # of a model of before it was kept
    assert_close(
        other.variance(population, taste.unsqueeze(-2), of),
        before.variance(population, taste.unsqueeze(-2), of),
    )
