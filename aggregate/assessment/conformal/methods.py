"""Methods to make prediction sets: a score and a threshold rule with their options, as ``pas/interp-q:tau=0.9``."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from ...errors import ParameterError, did_you_mean
from ...frames import check_type, wrong_type
from ...parameters import Parameter, declared, kind_of
from ...registry import Registry
from .registry import RULES, SCORES
from .scores.base import Score
from .thresholds.base import ThresholdRule

WORDS = {"true": True, "false": False}

COMPARED = (
    "softmax/standard",
    "softmax/clustered",
    *(f"softmax/interp-q:tau={tau}" for tau in ("0.9", "0.99", "0.999")),
    "softmax/fuzzy",
    "softmax/fuzzy-reconformalised",
    "softmax/macro",
    "softmax/classwise",
    "pas/standard",
    "pas/interp-q:tau=0.9",
    "pas/fuzzy-reconformalised",
    "pas/macro",
    "wpas/standard",
    "aps/standard",
    "raps/standard",
)
"""What is compared by default. Classwise thresholds undo the scale that pas gives a label: only softmax has them."""


@dataclass(frozen=True)
class Method:
    """A score and a threshold rule."""

    score: Score
    rule: ThresholdRule

    @classmethod
    def of(cls, text: str) -> "Method":
        """The method of a text ``SCORE[:OPTION=VALUE,...][/RULE[:OPTION=VALUE,...]]``. Raises ParameterError.

        The rule is standard if it is left out.

        >>> str(Method.of("softmax"))
        'softmax/standard'
        """
        score, _, rule = text.partition("/")
        return cls(_made(SCORES, score, text), _made(RULES, rule or next(iter(RULES)), text))

    def __str__(self) -> str:
        return f"{_text(self.score)}/{_text(self.rule)}"


GivenMethods: TypeAlias = Mapping[str, str | Method] | Iterable[str | Method] | None
"""Methods, or their texts; by name, or not."""


def named_methods(given: GivenMethods = None, *, weighted: bool = False) -> dict[str, Method]:
    """Methods by name, which by default is their text; by default COMPARED, wpas only if labels are ``weighted``.

    Raises ParameterError; TypeError for what is neither.
    """
    if given is not None and (isinstance(given, str) or not isinstance(given, Iterable)):
        raise wrong_type("methods", given, "a list of texts such as 'pas/interp-q:tau=0.9'")
    if not given:
        given = [text for text in COMPARED if weighted or not text.startswith("wpas")]
    pairs = given.items() if isinstance(given, Mapping) else [(str(each), each) for each in given]
    for _, each in pairs:
        check_type("a method", each, (str, Method), "a text such as 'pas/interp-q:tau=0.9'")
    return {name: each if isinstance(each, Method) else Method.of(each) for name, each in pairs}


def _made(registry: Registry[Any], text: str, method: str) -> Any:
    """An object of a class of a registry, with the options of a text."""
    name, _, given = text.rpartition(":") if "=" in text else (text, "", "")
    kind = registry.find(name)
    fields_of = {option_of(field, known): field for field, known in declared(kind).items()}
    options: dict[str, Any] = {}
    for pair in filter(None, given.split(",")):
        option, equals, value = pair.partition("=")
        if option not in fields_of:
            has = f"it has {', '.join(fields_of)}" if fields_of else "it has none"
            question = did_you_mean(option, list(fields_of))
            raise ParameterError(f"method {method!r}: {name} has no option {option!r}", remedy=question or has)
        if not equals:
            raise ParameterError(f"method {method!r}: {option} has no value", remedy=f"write {option}=VALUE")
        options[fields_of[option]] = _value(kind, option, fields_of[option], value, method)
    return kind(**options)


def option_of(field: str, known: Parameter) -> str:
    """The name of an option as on the command line, without dashes before it."""
    return (known.option or field).lstrip("-").replace("_", "-")


def _value(kind: type, option: str, field: str, text: str, method: str) -> Any:
    number = kind_of(kind, field)
    try:
        if number is bool:
            return WORDS[text.lower()]
        return number(text) if number in (int, float) else text
    except (ValueError, KeyError) as error:
        wanted = {bool: "true or false", int: "an integer"}.get(number, "a number")
        raise ParameterError(f"method {method!r}: {option} is {text!r} but must be {wanted}") from error


def _text(made: Any) -> str:
    """A score or a rule, with its options that are not as by default."""
    known, by_default = declared(made), {item.name: item.default for item in fields(made)}
    changed = {name: getattr(made, name) for name in known if getattr(made, name) != by_default[name]}
    options = ",".join(f"{option_of(name, known[name])}={value}" for name, value in changed.items())
    return f"{made.name}:{options}" if options else str(made.name)
