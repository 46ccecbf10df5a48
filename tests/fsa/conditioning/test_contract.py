"""What every conditioning promises, checked on every one that the folder holds, on two architectures."""

import copy
import importlib
import inspect
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.testing import assert_close
from torch.utils.checkpoint import checkpoint
from transformers import (
    AutoModelForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
)

import fsa.conditioning
from fsa.conditioning.conditioning import Conditioning
from fsa.errors import ConfigError, ShapeError
from tests.factories.conditioned import D_BELIEF, grads, make, probe, rows

GENERATION = [
    {"do_sample": False},
    {"do_sample": False, "num_beams": 3},
    {"do_sample": False, "num_beams": 3, "num_return_sequences": 2},
]


def members() -> list[type[Conditioning]]:
    for path in sorted(Path(fsa.conditioning.__file__).parent.glob("*.py")):
        importlib.import_module(f"fsa.conditioning.{path.stem}")
    found, queue = [], [Conditioning]
    while queue:
        queue += (family := queue.pop().__subclasses__())
        found += [member for member in family if not inspect.isabstract(member)]
    return [member for member in found if member.__module__.startswith("fsa.conditioning.")]


def test_the_folder_holds_the_members_we_know_of():
    assert {member.__name__ for member in members()} >= {"LoraGain", "FilmBlocks"}


@pytest.fixture(scope="module", params=["llama", "gemma3"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny backbone; Gemma 3 has norms after its layers, tied embeddings and a window of 4 tokens."""
    folder = tmp_path_factory.mktemp(request.param)
    torch.manual_seed(0)
    shared = {
        "vocab_size": 70,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "intermediate_size": 32,
        "initializer_range": 0.5,
        "max_position_embeddings": 64,
        "eos_token_id": None,  # generation goes on to the end
    }
    if request.param == "llama":
        from_config: nn.Module = LlamaForCausalLM(LlamaConfig(**shared))
    else:
        kinds = ["sliding_attention", "full_attention"]
        from_config = Gemma3ForCausalLM(
            Gemma3TextConfig(**shared, head_dim=8, sliding_window=4, layer_types=kinds)
        )
    from_config.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("member", members(), ids=lambda member: member.__name__)
class TestConditioning:
    def test_a_new_model_equals_its_backbone_whatever_z(self, member, folder):
        model, (ids, mask, z) = make(member, folder, trained=False), rows()
        plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        theirs = plain(ids, attention_mask=mask.long(), output_hidden_states=True)
        ours = model.hidden(ids, mask, 100 * z)
        assert_close(ours[mask], theirs.hidden_states[-1][mask], atol=1e-5, rtol=1e-5)
        assert_close((ours @ model.head.T)[mask], theirs.logits[mask], atol=1e-4, rtol=1e-5)

    def test_z_counts_after_one_step_and_the_encoder_learns_by_the_second(self, member, folder):
        model, (ids, mask, z) = make(member, folder, trained=False), rows()
        encoder = nn.Linear(D_BELIEF, D_BELIEF)
        trained = [*encoder.parameters(), *(p for p in model.parameters() if p.requires_grad)]
        optimizer = torch.optim.AdamW(trained, lr=1e-2)
        probe(model.hidden(ids, mask, encoder(z)), mask).backward()
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            moved = model.hidden(ids, mask, encoder(z)) - model.hidden(ids, mask, encoder(-z))
        assert moved[mask].abs().max() > 1e-5
        probe(model.hidden(ids, mask, encoder(z)), mask).backward()
        assert encoder.weight.grad.abs().max() > 1e-5

    def test_gradients_reach_everything_trained_and_nothing_else(self, member, folder):
        model, (ids, mask, z) = make(member, folder), rows()
        probe(model.hidden(ids, mask, z), mask).backward()
        for name, parameter in model.named_parameters():
            is_trained = "lora_" in name or name.startswith("conditioning.")
            assert (parameter.grad is not None) == is_trained, name
            assert not is_trained or parameter.grad.abs().max() > 0, name

    def test_a_mixed_batch_gives_each_person_what_they_get_alone(self, member, folder):
        model, (ids, mask, z) = make(member, folder), rows()
        together = model.hidden(ids, mask, z)
        for i in range(len(ids)):
            alone = model.hidden(ids[i : i + 1], mask[i : i + 1], z[i : i + 1])
            assert_close(together[i][mask[i]], alone[0][mask[i]], atol=1e-5, rtol=1e-5)
        others = model.hidden(ids, mask, torch.cat([z[:1], -z[1:]]))
        assert_close(others[0], together[0])
        assert (others[1] - together[1]).abs().max() > 1e-3

    def test_left_and_right_padding_agree(self, member, folder):
        model, (ids, mask, z) = make(member, folder), rows()
        right = model.hidden(ids, mask, z)
        for i, length in enumerate(mask.sum(1).tolist()):
            shift = ids.shape[1] - length
            left = model.hidden(ids.roll(shift, 1), mask.roll(shift, 1), z)
            assert_close(left[i, shift:], right[i, :length], atol=1e-5, rtol=1e-5)

    def test_missing_gains_raise_before_and_after_a_call(self, member, folder):
        model, (ids, mask, z) = make(member, folder), rows()
        for _ in range(2):
            with pytest.raises(ConfigError, match=r"layers\.0.* without gains"):
                model.backbone(ids)
            model.hidden(ids, mask, z)

    def test_gains_are_forgotten_after_an_error(self, member, folder):
        model, (ids, _, z) = make(member, folder), rows()
        with pytest.raises(RuntimeError, match="mine"), model.conditioning.given(z):
            raise RuntimeError("mine")
        with pytest.raises(ConfigError, match="without gains"):
            model.backbone(ids)

    def test_one_persons_gains_never_reach_the_next_call(self, member, folder):
        model, (ids, mask, z) = make(member, folder), rows()
        first = model.hidden(ids, mask, z)
        model.hidden(ids, mask, -z)
        assert_close(model.hidden(ids, mask, z), first, atol=0, rtol=0)
        with model.conditioning.given(z):
            with model.conditioning.given(-z):
                model.backbone(ids)
            assert_close(model._run(ids, mask), first, atol=0, rtol=0)

    @pytest.mark.parametrize("count", [1, 3, 5])
    def test_another_number_of_rows_raises(self, member, folder, count):
        model, (ids, mask, _) = make(member, folder), rows()
        with pytest.raises(ShapeError, match=rf"run on 4 rows, but z has {count}"):
            model.hidden(ids, mask, torch.randn(count, D_BELIEF))

    def test_a_z_of_another_width_raises(self, member, folder):
        model, (ids, mask, z) = make(member, folder), rows()
        with pytest.raises(ShapeError, match=r"z is \[4, 3\], but a row is 4 wide"):
            model.hidden(ids, mask, z[:, :3])

    def test_packed_rows_are_refused_by_the_layers_name(self, member, folder):
        model, (_, _, z) = make(member, folder), rows()
        layer = model.backbone.get_submodule(model.conditioning.layers[0])
        hooked = layer.lora_A["default"] if hasattr(layer, "lora_A") else layer
        hook = next(iter(hooked._forward_hooks.values()))
        with pytest.raises(ConfigError, match=r"layers\.0.* \[36, 3\]"), model.conditioning.given(z):
            hook(hooked, (), torch.zeros(36, 3))

    def test_a_layer_that_takes_no_part_is_named(self, member, folder):
        model, (ids, _, z) = make(member, folder), rows()
        decoder = model.backbone.get_base_model().get_decoder()
        decoder.layers = decoder.layers[:1]
        decoder.config.num_hidden_layers = 1
        with pytest.raises(ConfigError, match=r"^base_model\S*layers\.1.* took no part"):
            model.hidden(ids, ids > 0, z)

    def test_the_unconditional_model_is_z_of_zero_and_has_to_be_named(self, member, folder):
        model, (ids, mask, z) = make(member, folder), rows()
        with model.conditioning.unconditional():
            ours = model._run(ids, mask)
        assert_close(ours, model.hidden(ids, mask, 0 * z), atol=0, rtol=0)

    def test_the_reference_is_the_backbone_and_leaves_no_trace(self, member, folder):
        model, (ids, mask, z) = make(member, folder), rows()
        before, flags = model.hidden(ids, mask, z), [p.requires_grad for p in model.parameters()]
        reference = model.reference_hidden(ids, mask)
        plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).get_decoder()
        assert_close(reference[mask], plain(ids).last_hidden_state[mask], atol=1e-5, rtol=1e-5)
        assert not reference.requires_grad
        assert [p.requires_grad for p in model.parameters()] == flags
        assert_close(model.hidden(ids, mask, z), before, atol=0, rtol=0)

    def test_checkpointing_gives_the_gradients_of_two_blocks_with_gains_of_their_own(self, member, folder):
        found = []
        for checkpointing in (False, True):
            model = make(member, folder, gradient_checkpointing=checkpointing)
            losses, zs = [], []
            for seed, count in ((0, 4), (1, 3)):  # both forward passes before the one backward pass
                ids, mask, z = rows(count, seed=seed)
                zs.append(z.requires_grad_())
                losses.append(probe(model.hidden(ids, mask, z), mask))
            sum(losses).backward()
            found.append({**grads(model), "z0": zs[0].grad, "z1": zs[1].grad})
        assert found[0]["z0"].abs().min() > 0
        assert_close(found[1], found[0], atol=1e-5, rtol=1e-5)

    def test_checkpointing_does_compute_again(self, member, folder):
        model, (ids, mask, z) = make(member, folder, gradient_checkpointing=True), rows()
        runs = []
        model.shard_units()[0].self_attn.register_forward_hook(lambda *_: runs.append(1))
        hidden = model.hidden(ids, mask, z)
        assert len(runs) == 1
        probe(hidden, mask).backward(retain_graph=True)
        assert len(runs) == 2
        probe(hidden, mask).backward()  # the contexts may be entered again
        assert len(runs) == 3

    def test_checkpointing_without_our_context_raises_instead_of_using_another_s_gains(self, member, folder):
        model, (ids, _, z) = make(member, folder), rows()
        words = model.backbone.get_input_embeddings()(ids).requires_grad_()

        def run(words: torch.Tensor) -> torch.Tensor:
            return model.backbone(inputs_embeds=words, use_cache=False).logits

        with model.conditioning.given(z):
            loss = checkpoint(run, words, use_reentrant=False).sin().sum()
        with pytest.raises(ConfigError, match="context_fn=checkpoint_context"):
            loss.backward()

    @pytest.mark.parametrize("options", GENERATION, ids=lambda options: "-".join(options))
    def test_generation_with_a_cache_is_generation_without(self, member, folder, options):
        model, (ids, mask, z) = make(member, folder), rows()
        ids, mask = ids.flip(1), mask.flip(1)
        with_cache, without = (
            model.generate(ids, mask, z, **options, max_new_tokens=6, pad_token_id=0, use_cache=use_cache)
            for use_cache in (True, False)
        )
        copies = options.get("num_return_sequences", 1)
        assert with_cache.shape == (4 * copies, 9 + 6)
        assert with_cache.tolist() == without.tolist()
        for i in range(4):  # and each is what they get alone
            kept = mask[i]
            alone = model.generate(
                ids[i : i + 1, kept], mask[i : i + 1, kept], z[i : i + 1], **options, max_new_tokens=6
            )
            assert with_cache[i * copies : (i + 1) * copies, -6:].tolist() == alone[:, -6:].tolist()
        other = model.generate(ids, mask, -3 * z, **options, max_new_tokens=6, pad_token_id=0)
        assert other.tolist() != with_cache.tolist()

    def test_sampled_answers_to_one_prompt_share_its_z(self, member, folder):
        model, (ids, mask, z) = make(member, folder), rows()
        sampled = model.generate(
            ids, mask.fill_(True), z, do_sample=True, num_return_sequences=3, max_new_tokens=2, pad_token_id=0
        )
        assert sampled.shape == (12, 11)
        with model.conditioning.given(z, repeats=3):
            repeated = model._run(ids.repeat_interleave(3, 0), mask.repeat_interleave(3, 0))
        assert_close(repeated[::3], model.hidden(ids, mask, z), atol=1e-5, rtol=1e-5)
        assert_close(repeated[2::3], repeated[::3])

    def test_bfloat16_autocast_stays_near_with_trained_weights_in_full(self, member, folder):
        model, (ids, mask, z) = make(member, folder), rows()
        exact = model.hidden(ids, mask, z)
        with torch.autocast("cpu", torch.bfloat16):
            rough = model.hidden(ids, mask, z)
            probe(rough.float(), mask).backward()
        error = (rough.float() - exact)[mask].abs().mean() / exact[mask].abs().mean()
        assert 0 < error < 0.1
        assert all(gradient.dtype == torch.float32 for gradient in grads(model).values())
        with torch.autocast("cpu", torch.bfloat16):  # would round a gain near 1 by up to 0.4 %
            assert all(gain.dtype == torch.float32 for gain in model.conditioning.gains(z[0]).values())

    def test_a_bfloat16_backbone_keeps_what_is_trained_in_float32(self, member, folder):
        model, (ids, mask, z) = make(member, folder, dtype="bfloat16"), rows()
        assert model.head.dtype == torch.bfloat16
        assert {p.dtype for p in model.parameters() if p.requires_grad} == {torch.float32}
        z.requires_grad_()
        hidden = model.hidden(ids, mask, z)
        probe(hidden.float(), mask).backward()
        assert hidden.dtype == torch.bfloat16
        assert z.grad.abs().max() > 0
        new = make(member, folder, trained=False, dtype="bfloat16")
        assert_close(new.hidden(ids, mask, z)[mask], new.reference_hidden(ids, mask)[mask], atol=0, rtol=0)

    def test_a_deep_copy_is_a_model_of_its_own(self, member, folder):
        model, (ids, mask, z) = make(member, folder, gradient_checkpointing=True), rows()
        before = model.hidden(ids, mask, z)
        twin = copy.deepcopy(model)
        with torch.no_grad():
            for parameter in twin.conditioning.parameters():
                parameter.mul_(-1)
        after = twin.hidden(ids, mask, z)
        assert (after - before)[mask].abs().max() > 1e-3
        assert_close(model.hidden(ids, mask, z), before, atol=0, rtol=0)
        assert_close(after, model.hidden(ids, mask, -z), atol=1e-6, rtol=1e-5)
        probe(after, mask).backward()  # the copy's checkpoints look at the copy's gains
        assert grads(twin)
        assert not grads(model)
        with pytest.raises(ConfigError, match="without gains"), model.conditioning.given(z):
            twin.backbone(ids)

    def test_it_is_attached_once(self, member, folder):
        model = make(member, folder)
        with pytest.raises(ConfigError, match="attached"):
            model.conditioning.attach(model.backbone, D_BELIEF)
        with pytest.raises(ConfigError, match="not attached"), member().given(torch.zeros(1, D_BELIEF)):
            pytest.fail("went in")

    def test_gains_of_one_person_are_what_a_call_uses(self, member, folder):
        model, (_, _, z) = make(member, folder), rows()
        gains = model.conditioning.gains(z[2])
        assert list(gains) == model.conditioning.layers
        stacked = torch.cat(list(gains.values()))
        assert_close(stacked, model.conditioning.head.weight @ z[2])
