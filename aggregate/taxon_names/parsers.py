"""Parsers of other packages, which may confirm what was read as a name.

They get names as the rules write them, without authorship, and each name once: what they make of labels as these come
(``Betula pendula/pubescens``, ``quercus robur l.``) is not asked.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..errors import ParameterError
from .rules import ABOVE, AGGREGATE, BELOW, CULTIVAR, FORMULA, SPECIES, Name, Refused, read_name
from .spelling import folded

Fault = str  # why a parser does not confirm a name, "" if it does

GBIF_RANKS = {
    **dict.fromkeys(("SPECIES",), SPECIES),
    **dict.fromkeys(
        (
            *("SUBSPECIES", "VARIETY", "SUBVARIETY", "FORM", "SUBFORM", "CONVARIETY", "PROLES", "INFRASPECIFIC_NAME"),
            "INFRASUBSPECIFIC_NAME",
        ),
        BELOW,
    ),
}
"""Ranks of the parser of GBIF; the others are above species."""

HYBRID = 2  # quality that gnparser gives to a named hybrid; that of a name without a fault is 1


@dataclass(frozen=True)
class Parser:
    """A parser, ready for use."""

    name: str
    version: str
    faults_of: Callable[[Sequence[Name]], list[Fault]]  # why each name is not confirmed

    def plain(self) -> dict[str, str]:
        """As in run.json."""
        return {"name": self.name, "version": self.version}

    def check(self, names: Sequence[Name]) -> Mapping[str, Fault]:
        """Label of each name that is not confirmed, or has a part that is not -> why."""
        parts = {name.label: tuple(_parts(name)) for name in names}
        asked = list({part.label: part for several in parts.values() for part in several}.values())
        fault_of = dict(zip((part.label for part in asked), self.faults_of(asked), strict=True))
        faults = {}
        for label, several in parts.items():
            found = next(filter(None, (fault_of[part.label] for part in several)), "")
            if found:
                faults[label] = f"{self.name}: {found}"
        return faults


def find_parser(name: str) -> Parser:
    """A parser by its name. Raises ParameterError if its package is not installed."""
    return {"gbif": _gbif, "gnparser": _gnparser}[name]()


def _parts(name: Name) -> Iterator[Name]:
    """The names that parsers know in one: the parents of a hybrid, the species of an aggregate."""
    labels: Sequence[str] = [name.label]
    if name.rank == FORMULA:
        labels = name.parents
    elif name.rank == AGGREGATE:
        labels = [name.label.rpartition(" ")[0]]
    elif name.rank == CULTIVAR:
        labels = [name.species or name.label.partition(" '")[0]]
    if list(labels) == [name.label]:
        yield name
        return
    for label in labels:
        part = read_name(label)
        assert not isinstance(part, Refused)
        yield from _parts(part)


def _missing(module: str, extra: str) -> ParameterError:
    return ParameterError(
        f"the parser {extra} needs the package {module}, which is not installed",
        remedy=f"pip install 'plant-aggregate[{extra}]'",
    )


def _gbif() -> Parser:
    package = "gbif-name-parser"
    try:
        import nameparser

        found = version(package)
    except (ImportError, PackageNotFoundError) as error:
        raise _missing(package, "gbif") from error
    if not hasattr(nameparser, "parse_all"):  # another package of PyPI, for names of persons, has a module of this name
        remedy = "uninstall the package nameparser, then install gbif-name-parser again"
        raise ParameterError(f"the module nameparser is not that of {package}", remedy=remedy)

    def faults_of(names: Sequence[Name]) -> list[Fault]:
        return list(map(_gbif_fault, names, nameparser.parse_all([name.label for name in names])))

    return Parser("gbif", f"{package} {found}", faults_of)


def _gbif_fault(name: Name, parsed: Any) -> Fault:
    if parsed is None:
        return "no name"
    if not hasattr(parsed, "specific_epithet"):
        return "an informal name"
    if parsed.type != "SCIENTIFIC":
        return f"of type {parsed.type}"
    if parsed.doubtful or parsed.state != "COMPLETE" or parsed.warnings:
        return "; ".join(parsed.warnings) or "doubtful"
    rank = GBIF_RANKS.get(parsed.rank, ABOVE)
    return _other_name(name, parsed.canonical_name_without_authorship(), rank)


def _gnparser() -> Parser:
    package = "gnparser"
    try:
        import gnparser

        found = version(package)
    except (ImportError, PackageNotFoundError) as error:
        raise _missing(package, package) from error
    except OSError as error:
        raise ParameterError(f"{package} cannot be loaded: {error}") from error

    def parse(label: str) -> Any:
        return json.loads(gnparser.parse_to_string(label, "compact", None, False, False))

    def faults_of(names: Sequence[Name]) -> list[Fault]:
        return [_gnparser_fault(name, parse(name.label.replace("+ ", "× "))) for name in names]

    library = parse("Acer campestre").get("parserVersion", "")
    return Parser("gnparser", f"{package} {found}, {library}".rstrip(", "), faults_of)


def _gnparser_fault(name: Name, parsed: Any) -> Fault:
    if not parsed["parsed"]:
        return "no name"
    warnings = "; ".join(warning["warning"] for warning in parsed.get("qualityWarnings", ())).lower()
    if parsed["quality"] > HYBRID or "surrogate" in parsed:
        return warnings or "doubtful"
    words = parsed["cardinality"]
    return _other_name(name, parsed["canonical"]["full"], {1: ABOVE, 2: SPECIES, 3: BELOW}.get(words, ""))


def _other_name(name: Name, label: str | None, rank: str) -> Fault:
    """Why a name is not the one that a parser reads, which may write it without diaeresis, or with another mark."""
    if label is None or _plain(label) != _plain(name.label):
        return f"reads {label}"
    return "" if rank == name.rank else f"of another rank: {rank}"


def _plain(label: str) -> str:
    return folded(label).replace("+ ", "× ").replace("subgen.", "subg.")
