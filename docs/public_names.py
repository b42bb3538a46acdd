"""The public names, for docs/api.md: signatures as in the source, and what the docstrings say first."""

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

import plant_aggregate
from plant_aggregate import charts, schema
from plant_aggregate.parameters import declared

GROUPS = {
    "votes": "read_votes votes_from_table votes_from_matrix Votes",
    "strategies": "PlantNet Auto Majority NaiveSoft Wawa TwoThirds ZeroBasedSkill Iwmv DawidSkene Kinds OneCoin Glad "
    "Mace Wds",
    "consensus": "Consensus Trace Iteration Evidence",
    "experts": "read_truth truth_from_table Truth evaluate Evaluation compare Comparison "
    "compare_with_experts ExpertComparison",
    "runs": "run Settings Run PublishedRun open_latest open_run list_runs diff Changes publish rollback read_evidence",
    "exports": "export Exported training_table TrainingData subset Subset",
    "names": "clean_names CleanedLabels NameSettings",
    "formats": "convert Conversion",
    "AI": "read_ai_votes ai_votes_from_table AiVotes read_user_weights UserWeights",
    "probabilities": "calibrate Calibration calibrate_ai AiCalibration save_calibration load_calibration "
    "load_ai_calibration",
    "prediction sets": "fit_sets SetPredictor save_sets load_sets predict_sets PredictedSets scores_from_matrix "
    "scores_from_table NamedScores "
    "NamedSets read_taxonomy Taxonomy evaluate_sets SetEvaluation compare_sets SetComparison "
    "check_coverage CoverageCheck",
    "ambiguity": "ambiguity_of Ambiguity AmbiguitySettings",
    "recorders": "recorders.torch.ScoreRecorder recorders.lightning.score_callback "
    "recorders.transformers.score_callback",
    "simulation": "simulate",
    "charts": " ".join(f"charts.{name}" for name in charts.__all__),
    "errors": "AggregateError VotesError ParameterError StrategyError PublishError HeldError LockedError "
    "AggregateWarning",
}
"""Names by purpose, in the order of the page."""

OF_STRATEGIES = ("fit", "fit_predict", "thresholds", "passes", "ambiguity")
"""Members of strategies that the page describes once, or that are for other strategies to use."""
WIDTH = 100
COLUMNS = {column.name: column.meaning for column in schema.CONSENSUS + schema.PROBABILITY + schema.BY_EXPERT}
"""What fields mean that are columns of the consensus."""


def names_of(group: str) -> str:
    """An entry for each name of a group."""
    return "\n\n".join("\n".join(_entry(name)) for name in GROUPS[group].split())


def _entry(name: str) -> Iterator[str]:
    item = _item(name)
    yield f"### {name}\n"
    if inspect.isclass(item) and item.__name__ != name.rpartition(".")[2]:
        yield f"Another name of `{item.__name__}`."
        return
    if inspect.isfunction(item) or _is_made_by_users(item):
        yield f"```text\n{_wrapped(f'{name}{_signature(item)}')}\n```\n"
    yield _first_paragraph(item)
    members = [f"- `{shown}`: {text}" for shown, text in _members(item)] if inspect.isclass(item) else []
    if members:
        yield "\n" + "\n".join(members)


def _item(name: str) -> Any:
    parent, _, child = name.rpartition(".")
    return getattr(import_module(f"plant_aggregate.{parent}") if parent else plant_aggregate, child)


def _is_made_by_users(item: Any) -> bool:
    is_of_recorders = item.__module__.startswith(f"{plant_aggregate.__name__}.recorders.")
    return is_of_recorders or (dataclasses.is_dataclass(item) and bool(declared(item)))


def _members(kind: type) -> Iterator[tuple[str, str]]:
    """The fields, properties and methods of a class that are ours, and what each is in a sentence."""
    own = {} if _is_made_by_users(kind) else _field_texts(kind)
    for name, text in own.items():
        yield f".{name}", text
    for name, member in inspect.getmembers_static(kind):
        function = getattr(member, "fget", getattr(member, "func", getattr(member, "__func__", member)))
        is_shown = inspect.isfunction(function) and not name.startswith("_") and name not in own
        if not is_shown or (hasattr(kind, "takes") and name in OF_STRATEGIES):
            continue
        is_called = inspect.isfunction(member) or isinstance(member, classmethod | staticmethod)
        yield f".{name}{_signature(function) if is_called else ''}", _first_sentence(function.__doc__ or "")


@cache
def _field_texts(kind: type) -> dict[str, str]:
    """The first sentence of the text below each field of a class, in their order."""
    texts: dict[str, str] = {}
    for parent in reversed(kind.__mro__):
        if not parent.__module__.startswith("plant_aggregate."):
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(parent))).body
        assert isinstance(tree, ast.ClassDef)
        for field, below in zip(tree.body, [*tree.body[1:], None], strict=True):
            if isinstance(field, ast.AnnAssign) and not ast.unparse(field.annotation).startswith("ClassVar"):
                is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
                texts[ast.unparse(field.target)] = _first_sentence(below.value.value) if is_text else ""
    return {name: text or COLUMNS.get(name, "") for name, text in texts.items() if not name.startswith("_")}


def _signature(item: Any) -> str:
    """The parameters with types as in the source and values as they are, and what is returned."""
    signature = inspect.signature(item)
    kinds = {} if inspect.isclass(item) else _annotations(item)
    parts, keyword_only = [], False
    for name, parameter in signature.parameters.items():
        if name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            parts.append("*")
        kind = f": {kinds[name]}" if name in kinds else ""
        equals = " = " if kind else "="
        value = "" if parameter.default is parameter.empty else f"{equals}{_value(parameter.default)}"
        parts.append(f"{name}{kind}{value}")
    returned = kinds.get("return", "")
    return f"({', '.join(parts)}){f' -> {returned}' if returned and returned != 'None' else ''}"


def _annotations(item: Any) -> dict[str, str]:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(item))).body
    assert isinstance(tree, ast.FunctionDef)
    given = [*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs]
    kinds = {argument.arg: argument.annotation for argument in given} | {"return": tree.returns}
    return {name: _plain(ast.unparse(kind)) for name, kind in kinds.items() if kind is not None}


def _plain(annotation: str) -> str:
    return re.sub(r"\b(pa|pd|pl|np)\.", "", annotation.replace("'", "").replace('"', ""))


def _value(default: object) -> str:
    if isinstance(default, float):
        return min(repr(default), f"{default:.4g}", key=len) if len(repr(default)) > 6 else repr(default)
    return default.__name__ if isinstance(default, type) else repr(default)


def _wrapped(signature: str) -> str:
    if len(signature) <= WIDTH:
        return signature
    begin, inner, end = re.fullmatch(r"([\w.]+\()(.*)(\).*?)", signature, re.DOTALL).groups()  # type: ignore[union-attr]
    if ": " not in inner:
        indented = textwrap.wrap(inner, WIDTH, initial_indent="    ", subsequent_indent="    ")
        return "\n".join([begin, *indented, end])
    parts = re.split(r", (?=\*|\w+: )", inner)
    return "\n".join([begin, *(f"    {part}," for part in parts), end])


def _first_paragraph(item: Any) -> str:
    return _as_markdown(" ".join((inspect.getdoc(item) or "").split("\n\n")[0].split()))


def _first_sentence(text: str) -> str:
    return _as_markdown(re.split(r"(?<=\.) ", " ".join(text.split()))[0].rstrip("."))


def _as_markdown(text: str) -> str:
    """Names of ours as code: :func:`run` and ``run`` alike."""
    return re.sub(r":\w+:`([^`]*)`", r"`\1`", text).replace("``", "`")
