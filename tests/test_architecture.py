"""Who may import whom: our packages each other, and packages of others."""

from graphlib import CycleError, TopologicalSorter

import pytest

from tests.factories.sources import imports, modules, of_path, room_of, say, sources

# Who may import whom: a room of fsa (a folder, or a file right under fsa/), or one file of a room. A room may
# always import itself. `paths`, where caches lie, is for those that keep something on disk.
NOUNS = {"errors", "types", "outcomes", "batches", "mixtures", "beliefs", "predictive"}
BASES = {"encoders.encoder", "models.scorer", "likelihoods.likelihood"}
OUTPUTS = (
    NOUNS
    | {"backbones", "choices", "devices", "features", "conditioning", "judge", "paths", "files", "questions"}
    | {"runs", "settings", "episodes.tokens", "models.language_scorer", "models.backbone", "models.reward_lm"}
    | {"models.tuned_reward"}
    | BASES
)
RECIPES = (
    OUTPUTS
    | {"seeding", "settings", "files", "interrupts", "episodes", "training", "outputs", "reports", "metrics"}
    | {
        "encoders",
        "models",
        "likelihoods",
        "objectives",
        "log_probs",
        "solvers",
    }
)
MAY_IMPORT = {
    "errors": set(),
    "devices": set(),
    "files": {"errors"},
    "interrupts": set(),
    "settings": {"errors"},
    "seeding": set(),
    "paths": {"errors"},
    "outcomes": set(),
    "batches": {"errors"},
    "mixtures": {"batches"},
    "beliefs": {"errors", "batches", "mixtures"},
    "predictive": set(),
    "types": {"errors", "outcomes", "batches", "beliefs"},
    "backbones": {"errors", "paths", "files"},
    "log_probs": NOUNS,
    "choices": NOUNS | {"seeding", "paths", "files", "features.measures"},
    "episodes": NOUNS | {"seeding", "choices"},
    "features": NOUNS | {"paths", "files", "backbones", "devices", "log_probs", "settings"},
    "reward_map": NOUNS,
    "encoders": NOUNS | {"seeding", "reward_map"},
    "objectives": NOUNS | {"seeding"},
    "conditioning": NOUNS,
    "likelihoods": NOUNS,
    "metrics": NOUNS,
    "models": NOUNS
    | {"backbones", "log_probs", "reward_map", "solvers", "conditioning.conditioning", "judge.infer"}
    | {"devices", "features.pooling"},
    "solvers": NOUNS,
    "judge": NOUNS
    | {"seeding", "backbones", "devices", "paths", "features", "solvers", "likelihoods.likelihood"}
    | {"choices.simulation.simulate", "choices.source", "choices.table"},
    "training": NOUNS
    | {"reward_map", "seeding", "files", "settings", "interrupts", "episodes", "features", "metrics"}
    | {"objectives.objective"}
    | BASES,
    "reports": NOUNS | {"metrics", "files"},
    "questions": NOUNS,
    "runs": NOUNS | {"paths", "files", "reports"},
    "outputs": OUTPUTS,
    "recipes": RECIPES,
    "cli": RECIPES | {"recipes", "serve"},
    "serve": NOUNS | {"choices", "judge", "outputs", "paths", "questions", "runs"},
}

# What the extra `serve` brings, and no other part of fsa needs.
SERVING = ("fastapi", "starlette", "pydantic", "uvicorn", "sqlalchemy", "alembic", "prometheus_client")


# What makes requests from a schema; of the extra `dev`.
FUZZING = ("schemathesis", "hypothesis")


# Packages that only some places may import; a place is a path prefix.
ONLY_IN = {
    "lightning": ("fsa/training/", "fsa/recipes/"),
    "peft": (
        "fsa/models/backbone.py",
        "fsa/outputs/adapters.py",
        "fsa/outputs/sequence_classifier.py",
        "eval/adapter_check.py",
    ),
    "transformers": (
        "fsa/backbones.py",
        "fsa/log_probs.py",
        "fsa/features/",
        "fsa/models/",
        "fsa/judge/engines/",
        "fsa/outputs/item_tokens.py",
        "fsa/outputs/sequence_classifier.py",
        "eval/adapter_check.py",
        "eval/bench/trl.py",
    ),
    "datasets": ("fsa/choices/", "eval/bench/trl.py"),
    "matplotlib": ("fsa/reports/", "eval/"),
    **dict.fromkeys(FUZZING, ("eval/bench/serve_fuzz.py",)),
    **dict.fromkeys(SERVING, ("fsa/serve/", "eval/bench/")),
    "jsonargparse": ("fsa/runs/", "fsa/recipes/", "fsa/cli/", "eval/"),
}


def test_enough_files_were_read():
    assert len([path for path in sources() if path.startswith("fsa/")]) >= 25
    assert len(imports()) >= 100


def test_every_room_is_in_the_table():
    rooms = {room_of(name) for name in modules() if name.startswith("fsa.")}
    say([f"fsa/{room} has no line in MAY_IMPORT" for room in sorted(rooms - set(MAY_IMPORT))])


def test_rooms_import_only_whom_they_may():
    wrong, checked = [], 0
    for found in imports():
        if not found.path.startswith("fsa/") or found.path == "fsa/__init__.py":
            continue  # fsa/__init__ alone re-exports
        if found.module.split(".")[0] in ("train", "eval"):
            wrong.append(f"{found}: the library knows no recipe")
        if not found.module.startswith("fsa."):  # fsa itself gives its version
            continue
        checked += 1
        mine, theirs = room_of(of_path(found.path)), room_of(found.module)
        allowed = MAY_IMPORT.get(mine, set())
        if theirs != mine and not {theirs, found.module.removeprefix("fsa.")} & allowed:
            wrong.append(f"{found}: {mine} may import {', '.join(sorted(allowed)) or 'nothing of ours'}")
    assert checked >= 30
    say(wrong)


def test_training_knows_no_evaluation():
    say(
        [
            str(found)
            for found in imports()
            if found.path.startswith("train/") and found.module.startswith("eval")
        ]
    )


def test_no_import_cycles():
    graph: dict[str, set[str]] = {name: set() for name in modules()}
    for found in imports():
        if found.module in graph and not found.for_types_only:
            graph[of_path(found.path)].add(found.module)
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail("import cycle: " + " -> ".join(error.args[1]))
    assert len(order) == len(modules())


def test_third_party_packages_stay_in_their_place():
    wrong = []
    for found in imports():
        places = ONLY_IN.get(found.module.split(".")[0])
        if places and not found.path.startswith(places):
            wrong.append(f"{found}: only {', '.join(places)} may")
    say(wrong)
