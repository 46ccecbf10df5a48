"""`write_card`: a README.md that says what a model was trained on, how well it does, and what it is for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fsa.errors import CheckpointError, ConfigError
from fsa.reports.report import Report
from fsa.runs.components import refuse_foreign
from fsa.runs.folder import CONFIG_YAML, META, read_json, read_yaml
from fsa.runs.hub_results import hub_results
from fsa.runs.licences import README, UNKNOWN, hub_id, is_local, licence

MARK = "<!-- Written by fsa. Remove this line to keep your own words: fsa then leaves the file alone. -->"

_PLACES = ("eval/report.json", "report.json")
_HUB_ID = re.compile(r"\w[\w.-]*/[\w.-]+")
_FACTS = {
    "Date": "date",
    "Commit of fsa": "commit",
    "Seed": "seed",
    "Steps": "steps",
    "Best step": "best_step",
    "Validation NLL, nats a choice": "validation_nll",
}
_SLOTS = ("features", "projection", "encoder", "scorer", "likelihood")


def write_card(folder: Path, config: Mapping[str, Any], run: Path | None) -> None:
    """Write README.md, filled from the run; a README with words of one's own is left alone.

    Args:
        folder: Folder of the saved model.
        config: Its config.json.
        run: Folder that the model was opened from. A run folder has the data, the versions and perhaps a
            report; of a folder without these the card is copied. None for a model that was just trained.
    """
    path, source = folder / README, run or folder
    if path.exists() and MARK not in path.read_text(encoding="utf-8"):
        return
    kept = source / README
    if not (source / META).exists() and kept.exists():
        path.write_text(kept.read_text(encoding="utf-8"), encoding="utf-8")
    else:
        path.write_text(model_card(config, source), encoding="utf-8")


def model_card(config: Mapping[str, Any], run: Path) -> str:
    """The text of a model card, in Markdown with the hub's YAML head.

    No path of this machine goes into it: of local files it has the name alone.

    Args:
        config: The model's config.json.
        run: Its run folder; what is not there is said to be unknown.
    """
    recipe = _read(read_yaml, run / CONFIG_YAML)
    meta = _read(read_json, run / META)
    backbone = backbone_of(config)
    here = FileSystemLoader(Path(__file__).parent)
    known = Environment(loader=here, undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    return known.get_template("model_card.md.jinja").render(
        head=yaml.safe_dump(_head(config, recipe, run), sort_keys=False),
        mark=MARK,
        is_foreign=_is_foreign(config),
        data=list(_data(recipe, meta)),
        results=_results(run),
        model=list(_model(config, meta)),
        is_local=backbone is not None and is_local(backbone),
        made=list(_made(meta)),
    )


def backbone_of(config: Mapping[str, Any]) -> str | None:
    """Name, hub id or folder of the backbone that a model reads with; None if it reads numbers."""
    spec = config.get("features")
    said = (spec.get("init_args") or {}).get("backbone") if isinstance(spec, Mapping) else None
    return said if isinstance(said, str) and said else None


def _head(config: Mapping[str, Any], recipe: Mapping[str, Any], run: Path) -> dict[str, Any]:
    backbone, data = backbone_of(config), _hub_data(recipe)
    head: dict[str, Any] = {
        "library_name": "fsa",
        "pipeline_tag": "text-ranking",
        "tags": ["reward-model", "preference-learning", "personalization", "few-shot"],
    }
    if backbone and (name := hub_id(backbone)):
        head["base_model"] = name
    if backbone and (said := licence(backbone)) != UNKNOWN:
        head["license"] = said  # what is made with a backbone stands under its terms
    if data:
        head["datasets"] = [data]
    if (report := _report(run)) and (results := hub_results(report, data)):
        head["model-index"] = [{"name": "fsa reward model", "results": results}]
    return head


def _is_foreign(config: Mapping[str, Any]) -> bool:
    try:
        refuse_foreign(config, "config.json")
    except CheckpointError:
        return True
    return False


def _data(recipe: Mapping[str, Any], meta: Mapping[str, Any]) -> Iterator[str]:
    source = recipe.get("source")
    if not isinstance(source, Mapping):
        yield "Not known: this model was saved without its run."
        return
    arguments = {k: _public(v) for k, v in (source.get("init_args") or {}).items() if v is not None}
    yield f"- Source: `{_class(source)}`" + _in_words(arguments)
    splits = recipe.get("splits")
    if isinstance(splits, Mapping):
        plain = splits.get("init_args") or {k: v for k, v in splits.items() if k != "class_path"}
        yield "- Split" + (
            _in_words({k: v for k, v in plain.items() if v not in (None, [])}) or ": by prompt"
        )
    counts = meta.get("counts")
    counts = counts if isinstance(counts, Mapping) else {}
    for title, what in (("Choices in each split", "splits"), ("Counted while reading", "source")):
        if counts.get(what):
            yield f"- {title}" + _in_words({k: f"{v:,}" for k, v in counts[what].items()})


def _report(run: Path) -> Report | None:
    """The report of a run folder, if it has one."""
    for place in _PLACES:
        try:
            return Report.load(run / place)
        except ConfigError:
            continue
    return None


def _results(run: Path) -> str:
    """Tables of the run's report; nothing where there is none."""
    report = _report(run)
    if report is None:
        return ""
    # Every group is in the report; a card shows the mean and the worst.
    few = [row for row in report.rows if row.group in ("all", "worst")]
    shown = list(Report(few, report.about).tables())
    titles = dict.fromkeys(table.place for table in shown)
    of_each = {title: [table.markdown() for table in shown if table.place == title] for title in titles}
    return "\n\n".join(f"**{title}**\n\n" + "\n\n".join(each) for title, each in of_each.items())


def _model(config: Mapping[str, Any], meta: Mapping[str, Any]) -> Iterator[str]:
    for slot in _SLOTS:
        spec = config.get(slot)
        if isinstance(spec, Mapping):
            arguments = {k: _public(v) for k, v in (spec.get("init_args") or {}).items() if v is not None}
            yield f"- {slot.capitalize()}: `{_class(spec)}`" + _in_words(arguments)
    yield f"- Width of the belief: {config.get('d_belief')}; of the features: {config.get('d_feature')}"
    if "parameters" in meta:
        yield f"- Trained parameters: {meta['parameters']:,}"
    if backbone := backbone_of(config):
        name = hub_id(backbone) or f"a local folder, {Path(backbone).name}"
        said = licence(backbone)
        yield f"- Backbone: {name}, licence: {said}" + (
            "" if said == UNKNOWN else "; its terms hold for what is made with it"
        )


def _made(meta: Mapping[str, Any]) -> Iterator[str]:
    if not meta:
        yield "Not known: this model was saved without its run."
    for title, name in _FACTS.items():
        if meta.get(name) not in (None, ""):
            yield f"- {title}: {meta[name]}"
    if isinstance(meta.get("versions"), Mapping):
        yield "- Versions" + _in_words(meta["versions"])


def _hub_data(recipe: Mapping[str, Any]) -> str | None:
    source = recipe.get("source")
    path = (source.get("init_args") or {}).get("path") if isinstance(source, Mapping) else None
    return path if isinstance(path, str) and _is_hub_id(path) else None


def _is_hub_id(value: str) -> bool:
    """Whether a text is owner/name; a file of that form has an ending, or is there."""
    is_file = value.endswith((".jsonl", ".parquet", ".gz", ".json")) or Path(value).exists()
    return bool(_HUB_ID.fullmatch(value)) and not is_file


def _public(value: Any) -> Any:
    """A value without folders of this machine: of a path its last name, but hub ids whole."""
    if isinstance(value, list | tuple):
        return [_public(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _public(one) for name, one in value.items()}
    if not isinstance(value, str) or ("/" not in value and "\\" not in value):
        return value
    return value if _is_hub_id(value) else re.split(r"[/\\]", value.rstrip("/\\"))[-1]


def _class(spec: Mapping[str, Any]) -> str:
    return str(spec.get("class_path", "")).rpartition(".")[2]


def _in_words(values: Mapping[str, Any]) -> str:
    return ": " + ", ".join(f"{name} {value}" for name, value in values.items()) if values else ""


def _read(read: Any, path: Path) -> Mapping[str, Any]:
    try:
        said = read(path)
    except CheckpointError:
        return {}
    return said if isinstance(said, Mapping) else {}
