"""Run folders: config.json, run.json and safetensors, damaged by field, by text and by byte."""
# ruff: noqa: E501 - tables of odd values read best with many a line

import json
import math
import shutil
import struct
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import fsa
from fsa.features.projection import Projection
from fsa.outputs.reward_model import FORMAT, RewardModel
from tests.fuzz.made_choices import number_record
from tests.fuzz.odd import damaged_bytes, damaged_text, odd_value
from tests.fuzz.records import Nonsense, strict_json
from tests.fuzz.tensors import FLOATS, SIZES, of_tensors, read_tensors
from tests.fuzz.training_data import train_small
from tests.fuzz.trying import Opinion, Target, Tried, came_of, judged

NEEDED = (
    "format",
    "d_feature",
    "d_belief",
    "num_samples",
    "encoder",
    "scorer",
    "likelihood",
    "features",
    "projection",
)
PARTS = ("encoder", "scorer", "likelihood", "features", "projection")
TENSORS = ("model.safetensors", "projection.safetensors")


class RunFolders(Target):
    """A model of the default kind with its run's files, and two without."""

    name, cases = "folders", 2000

    def prepare(self, folder: Path) -> None:
        run = train_small(folder / "trained")
        shutil.rmtree(run / "checkpoints")
        self.models = [run, _save(folder / "particles", _PARTICLES), _save(folder / "deep_set", _DEEP_SET)]
        draw = Random(0)
        self.choices = [number_record(draw, "ann") for _ in range(3)]

    def attack(self, draw: Random, folder: Path) -> Tried:
        model = draw.choice(self.models)
        copy = Path(shutil.copytree(model, folder / "run"))
        kind = draw.choices(
            ["field", "text", "header", "numbers", "bytes", "files"], [45, 10, 15, 8, 12, 10]
        )[0]
        what, opinion = getattr(self, f"_{kind}")(draw, copy)
        came = came_of(lambda: self._score(copy))
        return judged(f"{model.name}: {kind}: {what}", opinion, came, _all_finite)

    def _score(self, folder: Path) -> list[float]:
        person = RewardModel.from_pretrained(str(folder)).for_user(self.choices)
        rewards: list[float] = np.asarray(person.score("p", [[0.1, 0.2], [0.5, -1.0]]).reward).tolist()
        return rewards

    def _field(self, draw: Random, run: Path) -> tuple[str, Opinion]:
        """One value in config.json is another, gone, or one too many."""
        path = run / "config.json"
        config = json.loads(path.read_text())
        places = [(name,) for name in config]
        places += [(slot, "init_args") for slot in PARTS if "init_args" in config[slot]]
        places += [(slot, "class_path") for slot in PARTS]
        places += [
            (slot, "init_args", name) for slot in PARTS for name in config[slot].get("init_args", {})
        ] * 2
        place = draw.choice(places)
        holder: Any = config
        for name in place[:-1]:
            holder = holder[name]
        name, before = place[-1], holder[place[-1]]
        how = draw.choice(["odd", "odd", "odd", "gone", "more"])
        if how == "gone":
            del holder[name]
            why = (
                "a needed name is gone"
                if name == "class_path" or (len(place) == 1 and name in NEEDED)
                else ""
            )
        elif how == "more" and len(place) > 1:
            name = draw.choice(["unheard_of", "hiden", "", "class_path"])
            is_there = name in holder
            holder[name] = odd_value(draw)
            why = "" if is_there else "no argument has this name"
        else:
            value = draw.choice([odd_value(draw), _class_path(draw)])
            holder[name] = value
            why = _nonsense(place, before, value)
        path.write_text(json.dumps(config))
        shown = f"{how} {'.'.join(place[:-1])}.{name} = {json.dumps(holder.get(name))[:60]}"
        return shown, Opinion("nonsense", why, ["config.json", str(run)], [place[0]]) if why else Opinion(
            "unsure"
        )

    def _text(self, draw: Random, run: Path) -> tuple[str, Opinion]:
        """config.json or run.json is damaged as a text."""
        path = run / draw.choice(["config.json", "run.json", "config.json"])
        if not path.exists():
            path = run / "config.json"
        text = path.read_text()
        damaged = damaged_text(draw, text.strip())
        path.write_bytes(damaged.encode("utf-8", "surrogatepass"))
        try:
            json.loads(damaged.encode("utf-8"))
        except (ValueError, RecursionError) as error:
            return f"{path.name}: {error}"[:100], Opinion("nonsense", "it is no JSON", [path.name])
        return f"{path.name} is JSON still", Opinion("unsure")

    def _header(self, draw: Random, run: Path) -> tuple[str, Opinion]:
        """The header of a safetensors file says something else than what is there."""
        path = run / draw.choice(TENSORS)
        content = path.read_bytes()
        size = struct.unpack("<Q", content[:8])[0]
        header = json.loads(content[8 : 8 + size])
        name = draw.choice([key for key in header if key != "__metadata__"])
        entry = header[name]
        how = draw.choice(["dtype", "shape", "offsets", "name", "gone", "metadata", "length", "odd", "twice"])
        if how == "dtype":
            entry["dtype"] = draw.choice(
                [
                    "F32",
                    "F64",
                    "I32",
                    "I64",
                    "I32",
                    "I64",
                    "F16",
                    "BF16",
                    "U8",
                    "BOOL",
                    "F8_E4M3",
                    "X",
                    3,
                    None,
                ]
            )
        elif how == "shape":
            entry["shape"] = draw.choice(
                [[], [0], [1, *entry["shape"]], entry["shape"][::-1], [2**40], [-1], [2**62, 4], "x"]
            )
        elif how == "offsets":
            entry["data_offsets"] = draw.choice(
                [[0, 0], [0, 2**60], [-8, 0], entry["data_offsets"][::-1], [0], "x", [8, 16]]
            )
        elif how == "name":
            header[draw.choice([name.upper(), "x", "", name + "\0"])] = header.pop(name)
        elif how == "gone":
            del header[name]
        elif how == "metadata":
            header["__metadata__"] = draw.choice(
                [{}, {"run": "another"}, {"run": 3}, None, "x", {"format": "tf"}]
            )
        elif how == "odd":
            entry[draw.choice(list(entry))] = odd_value(draw)
        elif how == "twice":
            header[name + "_"] = entry
        try:
            raw = json.dumps(header, allow_nan=False).encode("utf-8", "surrogatepass")
        except ValueError:
            raw = json.dumps(header).encode("utf-8", "surrogatepass")
        claimed = draw.choice([0, 1, size * 2, 2**63, len(content)]) if how == "length" else len(raw)
        path.write_bytes(struct.pack("<Q", claimed) + raw + content[8 + size :])
        return f"{path.name}: {how} of {name}", of_tensors(path, content)

    def _numbers(self, draw: Random, run: Path) -> tuple[str, Opinion]:
        """One number is none, too large, or another."""
        path = run / draw.choice(TENSORS)
        content = bytearray(path.read_bytes())
        tensors = {name: one for name, one in read_tensors(bytes(content))[0].items() if one[2].size}
        name = draw.choice(sorted(tensors))
        dtype, _, values, start = tensors[name]
        i = draw.randrange(values.size)
        number = draw.choice([math.nan, math.inf, -math.inf, 1e300, -1e38, 0.0, 1e-320])
        width = SIZES[dtype]
        with np.errstate(over="ignore"):
            content[start + i * width : start + (i + 1) * width] = np.array([number], FLOATS[dtype]).tobytes()
        before = path.read_bytes()
        path.write_bytes(content)
        return f"{path.name}: {name}[{i}] = {number}", of_tensors(path, before)

    def _bytes(self, draw: Random, run: Path) -> tuple[str, Opinion]:
        path = run / draw.choice([*TENSORS, "config.json"])
        before = path.read_bytes()
        content, how = damaged_bytes(draw, before)
        path.write_bytes(content)
        if path.name in TENSORS:
            return f"{path.name}: {how}", of_tensors(path, before)
        try:
            strict_json(content.decode())
            return f"{path.name}: {how}", Opinion("unsure")
        except (UnicodeDecodeError, Nonsense):
            try:
                json.loads(content)  # a name twice is left open
                return f"{path.name}: {how}", Opinion("unsure")
            except (ValueError, RecursionError):
                return f"{path.name}: {how}", Opinion("nonsense", "it is no JSON", [path.name])

    def _files(self, draw: Random, run: Path) -> tuple[str, Opinion]:
        """A file is gone, empty, a folder, a loop, or another model's."""
        name = draw.choice([*TENSORS, "config.json", "run.json"])
        path = run / name
        how = draw.choice(["gone", "empty", "folder", "loop", "other", "nothing"])
        if how == "nothing":
            return "nothing is wrong", Opinion("sound")
        existed = path.exists()
        path.unlink(missing_ok=True)
        why = f"{name} is {how}"
        if how == "gone":
            why = "" if name == "run.json" else why
        elif how == "empty":
            path.write_bytes(b"")
        elif how == "folder":
            path.mkdir()
        elif how == "loop":
            path.symlink_to(path)
            why = "" if name == "run.json" else why
        else:
            others = [model / name for model in self.models if (model / name).exists()]
            shutil.copy(draw.choice(others), path)
            why = ""
        opinion = Opinion("nonsense", why, [name, str(run)]) if why else Opinion("unsure")
        return f"{name} {how}" + ("" if existed else " (was not there)"), opinion


def _all_finite(rewards: list[float]) -> str:
    is_right = all(isinstance(one, float) and math.isfinite(one) for one in rewards) and len(rewards) == 2
    return "" if is_right else f"it opened, and its rewards are {rewards}"


def _class_path(draw: Random) -> str:
    return draw.choice(
        ["os.system", "fsa.outputs.runs.subprocess.Popen", "builtins.eval", "fsa", "fsa.", "fsa.encoders", "..", "fsa..x",
         "fsa.encoders.deep_set.DeepSet", "fsa.encoders.no_context.NoContext", "fsa.models.film.Film", "fsa.errors.FsaError",
         "fsa.features.store.FeatureStore", "fsa." + "a." * 3000 + "B", "fsa.encoders.deep_set.nn", "fsa.a b.C", "fsa.\0.C"]
    )  # fmt: skip


def _nonsense(place: tuple[str, ...], before: Any, value: Any) -> str:
    """Why a value cannot stand there; "" where it may, or where nobody can tell from the outside."""
    name = place[-1]
    if place == ("format",) and value != before:
        return "it is another format"
    if place in (("d_feature",), ("d_belief",), ("num_samples",)):
        return "" if type(value) is int and 1 <= value <= 10**6 else f"{name} is no count"
    if place == ("run",):
        return "" if value == before else "it is of another run"
    if len(place) == 1:
        return "" if isinstance(value, dict) and "class_path" in value else f"{name} is no part"
    if name == "class_path":
        is_ours = (
            isinstance(value, str) and value.startswith("fsa.") and value.isascii() and value.isprintable()
        )
        return "" if is_ours else "it is no class of fsa"
    if name == "init_args":
        return "" if isinstance(value, dict) or not value else "arguments are no object"
    if isinstance(before, bool):
        return "" if isinstance(value, bool) else f"{name} is true or false"
    if isinstance(before, int | float):
        kinds = int if isinstance(before, int) else int | float
        is_number = isinstance(value, kinds) and not isinstance(value, bool)
        if not is_number and not (isinstance(before, int) and isinstance(value, float) and value == value):
            return f"{name} is a number"
        return "" if abs(value) <= 1.797e308 else f"{name} is finite"
    if isinstance(before, list):
        return "" if isinstance(value, list) else f"{name} is a list"
    return ""


_PARTICLES = {"encoder": {"class_path": "fsa.encoders.particles.Particles", "init_args": {"spread": True}}}
_DEEP_SET = {"encoder": {"class_path": "fsa.encoders.deep_set.DeepSet", "init_args": {}}}


def _save(folder: Path, parts: dict[str, Any]) -> Path:
    seen = np.random.default_rng(0).normal(size=(32, 2)).astype(np.float32)
    plain: dict[str, Any] = {"num_components": None, "extras": []}
    projection = Projection(**plain).fit(seen, [tuple(row) for row in seen.tolist()])
    config = {
        "format": FORMAT, "d_feature": projection.width, "d_belief": 4, "num_samples": 8, **parts,
        "scorer": {"class_path": "fsa.models.bilinear.Bilinear"},
        "likelihood": {"class_path": "fsa.likelihoods.btl.BradleyTerryLuce"},
        "features": {"class_path": "fsa.features.numeric.Numeric", "init_args": {"width": 2}},
        "projection": {"class_path": "fsa.features.projection.Projection", "init_args": plain},
    }  # fmt: skip
    fsa.RewardModel(config, projection).save_pretrained(folder)
    return folder
