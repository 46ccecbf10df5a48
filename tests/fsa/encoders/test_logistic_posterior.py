import torch
from torch.testing import assert_close

from fsa.encoders.logistic_posterior import LogisticPosterior
from fsa.types import ChoiceBatch


def one_direction(steepness: float, **options) -> LogisticPosterior:
    """A latent of one dimension; a choice between 1 and 0 has log-odds of steepness times z."""
    encoder = LogisticPosterior(1, 1, **options).double().eval()
    encoder.directions.weight.data.fill_(steepness)
    return encoder


def picked(*better: float) -> ChoiceBatch:
    """One user, who preferred each number to 0."""
    features = torch.tensor([[[[number], [0.0]] for number in better]], dtype=torch.float64)
    places = torch.tensor([[[0, 1]] * len(better)])
    return ChoiceBatch(features, places, torch.arange(len(better))[None])


def by_quadrature(steepness: float, *better: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and std of z ~ N(0, 1) given the choices, by a sum over a fine grid."""
    z = torch.linspace(-12, 12, 20_001, dtype=torch.float64)
    log_density = -z.square() / 2
    for number in better:
        log_density += torch.nn.functional.logsigmoid(steepness * number * z)
    weight = log_density.softmax(0)
    mean = (weight * z).sum()
    return mean, ((weight * z.square()).sum() - mean.square()).sqrt()


def test_a_faint_choice_moves_the_mean_by_half_its_log_odds():
    # sigmoid(a z) is 1/2 + a z / 4 near 0, so E[z | choice] = a E[z^2] / 2 = a / 2.
    belief = one_direction(0.01)(picked(1.0))
    assert_close(belief.mean, torch.full((1, 1), 0.005, dtype=torch.float64), rtol=1e-3, atol=0)


def test_mean_is_near_the_exact_posterior():
    for choices in ((1.0,), (1.0, 1.0, 1.0), (1.0, -1.0), (2.0, 1.0, -0.5, 1.0)):
        mean, std = by_quadrature(1.5, *choices)
        belief = one_direction(1.5, spread=True)(picked(*choices))
        assert abs(belief.mean.item() - mean) < 0.1
        assert (
            0.8 * std < belief.std.item() <= std + 1e-9
        )  # variational posteriors are too sure, not too unsure


def test_contradiction_cancels():
    belief = one_direction(2.0)(picked(1.0, -1.0))
    assert_close(belief.mean, torch.zeros(1, 1, dtype=torch.float64))


def test_one_more_choice_that_agrees_moves_less_than_the_first():
    encoder = one_direction(2.0)
    means = [encoder(picked(*[1.0] * count)).mean.item() for count in (1, 2, 3, 4)]
    steps = [after - before for before, after in zip([0.0, *means], means, strict=False)]
    assert all(step > 0 for step in steps)
    assert steps == sorted(steps, reverse=True)


def test_dimensions_that_explain_one_choice_share_it():
    encoder = LogisticPosterior(2, 2).double().eval()
    encoder.directions.weight.data = torch.tensor([[1.0, 0.0], [0.0, 3.0]], dtype=torch.float64)
    features = torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]]], dtype=torch.float64)
    belief = encoder(ChoiceBatch(features, torch.tensor([[[0, 1]]]), torch.zeros(1, 1, dtype=torch.long)))
    # Both are moved along x = (1, 3): what people differ in more is blamed more.
    assert_close(belief.mean[0, 1] / belief.mean[0, 0], torch.tensor(3.0, dtype=torch.float64))
