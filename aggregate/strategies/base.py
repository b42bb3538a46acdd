"""What a strategy is: a frozen dataclass of its parameters, with ``fit(votes, given) -> Consensus``."""

import inspect
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import MISSING, asdict, fields, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ..errors import AggregateError, ParameterError, StrategyError, quoted
from ..parameters import declared
from ..progress import SILENT, Progress
from ..side_inputs import VOTES_ONLY, SideInputs

if TYPE_CHECKING:
    from ..consensus import Consensus
    from ..votes import Votes


class Strategy(Protocol):
    """From votes to a consensus."""

    name: ClassVar[str]
    takes: ClassVar[frozenset[str]]  # names of the `SideInputs` that `fit` uses

    def fit(self, votes: "Votes", given: SideInputs = VOTES_ONLY, *, progress: Progress = SILENT) -> "Consensus":
        """Estimate a label for every observation.

        Raises ParameterError if an input is ``given`` that the strategy does not take.
        """


def check_takes(strategy: Strategy, names: Iterable[str], takers: Callable[[str], Sequence[str]] | None = None) -> None:
    """Raise ParameterError if ``names`` of side inputs has one that the strategy does not take.

    ``takers(name)`` are the names of the strategies that do, for the message.
    """
    for name in names:
        if name not in strategy.takes:
            *several, last = takers(name) if takers is not None else [""]
            others = f"{', '.join(several)} or {last}" if several else last
            those = f"{name} are for the strategy {others}, not for" if others else f"{name} are not for the strategy"
            raise ParameterError(f"{those} {strategy.name}")


def side_inputs_of(strategy: Any, votes: Any, given: Any, others: Mapping[str, Any]) -> SideInputs:
    """What is given to ``fit`` beside the votes: as ``given``, and by keywords, those of ``others`` that are not None.

    Raises TypeError if the votes are none, or an input is of a wrong type, and ParameterError for an input that the
    strategy does not take.
    """
    from ..frames import is_frame, path_in_words, wrong_type
    from ..votes import Votes

    call = f"{type(strategy).__name__}()"
    if not isinstance(votes, Votes) and is_frame(votes):
        raise wrong_type("votes", votes, f"{call}.fit_predict(frame), or {call}.fit(read_votes(frame))")
    if not isinstance(votes, Votes):
        if hasattr(votes, "__array__") or isinstance(votes, list | tuple):
            raise wrong_type("votes", votes, f"{call}.fit_predict(matrix), or {call}.fit(votes_from_matrix(matrix))")
        raise wrong_type("votes", votes, f"{call}.fit(read_votes({path_in_words(votes)}))")
    kinds = {item.name: str(item.type).partition(" ")[0] for item in fields(SideInputs)}
    if not isinstance(given, SideInputs):
        name = next((name for name, kind in kinds.items() if type(given).__name__ == kind), None)
        write = "fit(votes)" if name is None else f"fit(votes, {name}=...)"
        raise wrong_type("side inputs", given, write)
    by_keyword = {name: value for name, value in others.items() if value is not None}
    unknown = [name for name in by_keyword if name not in kinds]
    if unknown:
        raise TypeError(f"fit of {call} has no argument {unknown[0]!r}: parameters are arguments of the class")
    for name, value in by_keyword.items():
        if type(value).__name__ != kinds[name] and kinds[name] != "object":
            source = path_in_words(value) if isinstance(value, str | PathLike) else "frame"
            reader = "read_truth" if kinds[name] == "Truth" else f"read_{name}"
            raise wrong_type(name, value, f"{name}={reader}({source})")
    check_takes(strategy, [*given.names, *by_keyword], _takers)
    return replace(given, **by_keyword)


def parameters_with(strategy: Any, given: Collection[str]) -> dict[str, Any]:
    """The parameters of a strategy without those that need a side input which is not among the ``given`` names."""
    known = declared(strategy)
    return {name: value for name, value in asdict(strategy).items() if known[name].needs in ("", *given)}


def _takers(name: str) -> list[str]:
    from .registry import takers

    return takers(name)


def fault_of(strategy: Any) -> str:
    """Why a class of another package is no strategy, in words; empty if it is one."""
    if not isinstance(strategy, type):
        return "is no class"
    kind: Any = strategy
    missing = [name for name in ("name", "takes", "fit") if not hasattr(kind, name)]
    if missing:
        return f"has no {', '.join(missing)}"
    if not hasattr(kind, "__dataclass_fields__") or not kind.__dataclass_params__.frozen:
        return "is no frozen dataclass: write @dataclass(frozen=True) above it"
    if not isinstance(kind.name, str):
        return "has a name that is no text"
    known = SideInputs.__dataclass_fields__
    if not isinstance(kind.takes, Collection) or not set(kind.takes) <= set(known):
        return f"takes what is not among {', '.join(map(repr, known))}: write takes = frozenset() if it takes nothing"
    required = [item.name for item in fields(kind) if item.init and item.default is item.default_factory is MISSING]
    if required:
        return f"has no default for its parameter {required[0]}"
    try:
        inspect.signature(kind.fit).bind(None, None, VOTES_ONLY, progress=SILENT)
    except TypeError:
        return "has a fit that cannot be called as fit(votes, given, progress=progress)"
    return ""


def fit_strategy(
    strategy: Strategy, votes: "Votes", given: SideInputs = VOTES_ONLY, *, progress: Progress = SILENT
) -> "Consensus":
    """Fit a strategy, which may be of another package; the consensus has the name and the parameters of it.

    Raises StrategyError if one of another package fails, or returns anything but a consensus on these votes.
    """
    if is_built_in(strategy):
        return strategy.fit(votes, given, progress=progress)
    from ..consensus import Consensus

    where = f"strategy {quoted(strategy.name)}"
    try:
        found: Any = strategy.fit(votes, given, progress=progress)
    except AggregateError:
        raise
    except (Exception, SystemExit) as error:  # its code may fail in any way, and may not end the program
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        line = traceback.extract_tb(error.__traceback__)[-1]
        raise StrategyError(f"failed ({what}), line {line.lineno} of {line.filename}", where=where) from error
    if not isinstance(found, Consensus):
        from ..frames import in_words

        remedy = "end it with return Consensus.from_labels(votes, labels)"
        raise StrategyError(f"fit returned {in_words(found)}, not a Consensus", where=where, remedy=remedy)
    if not _is_on(found, votes):
        raise StrategyError("fit returned a consensus on other votes than those it was given", where=where)
    own = asdict(strategy)  # type: ignore[call-overload]
    if found.strategy != strategy.name:  # it called another one
        return replace(found, strategy=strategy.name, parameters=own, choice=None)
    needing = {name for name, known in declared(strategy).items() if known.needs}
    return replace(found, parameters={**{k: own[k] for k in own if k not in needing}, **found.parameters})


def is_built_in(strategy: Strategy) -> bool:
    """Whether a strategy is one of this package."""
    return type(strategy).__module__.partition(".")[0] == __name__.partition(".")[0]


def _is_on(consensus: "Consensus", votes: "Votes") -> bool:
    """Whether a consensus is on these votes; the AI's may have joined them."""
    theirs = consensus.votes
    if theirs is votes or consensus.ai is not None:
        return theirs.n_observations >= votes.n_observations
    return bool(theirs.observation_ids.equals(votes.observation_ids) and theirs.user_ids.equals(votes.user_ids))
