"""The settings of a run beside its votes and its strategy, in groups that can be used alone."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from .files.requests import TIME_LIMIT
from .parameters import check_settings as check_declared
from .parameters import declared, max_rejected, normalise, parameter, setting
from .reprs import changed_repr
from .taxon_names.settings import NameSettings

if TYPE_CHECKING:
    from .files.sources import Paths
    from .formats.base import Format
    from .formats.options import GivenFormat

LOCK_MODES = ("wait", "fail")  # what to do while another process writes in the output folder
SIMULATED = "simulated"  # names the calibration that was fitted on simulated votes

_of_votes = partial(setting, group="Votes")
_of_scores = partial(setting, group="Scores and calibration")
_of_output = partial(setting, group="Output and publishing")
_guard = partial(setting, group="Guards", unit="share")
_of_process = partial(setting, group="Running")


def check_settings(settings: Any) -> None:
    """Raise ParameterError if a setting is out of its range, or given without the one that it needs.

    A format that is an object becomes the name of its class and its options, as in run.json.
    """
    for name, known in declared(settings).items():
        given = getattr(settings, name)
        if known.is_format and given is not None and not isinstance(given, str):
            from .formats.options import format_of, name_of, plain_options

            options = f"{name}_options"
            layout = format_of(given, getattr(settings, options))
            object.__setattr__(settings, name, name_of(layout))
            object.__setattr__(settings, options, plain_options(layout))
    check_declared(settings)


@dataclass(frozen=True)
class ReadSettings:
    """How votes are read."""

    # Columns of `schema.VOTES` -> the files' own names.
    columns: Mapping[str, str] | None = _of_votes(
        None,
        "the files' own name of a column, such as observation_id=obs",
        option="--column",
        metavar="COLUMN=NAME",
        columns_of=("VOTES",),
    )
    as_of: datetime | None = _of_votes(
        None, "leave out votes cast later; a time without zone is UTC", metavar="TIMESTAMP"
    )
    max_rejected: float = max_rejected()
    format: "str | Format | None" = _of_votes(
        None,
        "read votes from files of this format, one of plant-aggregate convert  [default: Parquet]",
        option="--from",
        metavar="FORMAT",
        is_format=True,
    )
    format_options: Mapping[str, Any] | None = _of_votes(
        None,
        "an option of that format, such as task=T0; ids=integer or ids=text is the type of the ids",
        option="--from-option",
        metavar="NAME=VALUE",
        is_mapping=True,
        needs="format",
    )

    __repr__ = changed_repr

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def layout(self) -> "GivenFormat | None":
        """The format that votes are read from, with its options; None for Parquet. Raises ParameterError."""
        if self.format is None:
            return None
        from .formats.options import given_format

        return given_format(self.format, self.format_options)


@dataclass(frozen=True)
class InputFiles:
    """Files with a strategy's side inputs, each under its name in ``SideInputs``, and files that change one.

    Each may be several files, folders or globs.
    """

    user_weights: "Paths | None" = parameter(
        None,
        "Parquet or CSV file with user_id and fixed_weight (0 silences) or min_weight (a floor)",
        group="Strategy",
        side_input="user_weights",
        is_file=True,
        several=True,
        metavar="FILE",
    )
    experts: "Paths | None" = parameter(
        None,
        "Parquet file, folder or glob with observation_id and label as experts gave them: the estimate holds these "
        "labels fixed, and learns from them how right the users are",
        group="Strategy",
        side_input="experts",
        is_file=True,
        is_table=True,
        several=True,
        metavar="FILE",
    )
    # Columns of `schema.TRUTH` -> the files' own names.
    experts_columns: Mapping[str, str] | None = setting(
        None,
        "the experts' files' own name of a column, such as label=species",
        group="Strategy",
        needs="experts",
        option="--experts-column",
        metavar="COLUMN=NAME",
        columns_of=("TRUTH",),
    )
    ai_votes: "Paths | None" = parameter(
        None,
        "Parquet file, folder or glob with the AI's observation_id, label and score, to take part as --ai-mode says",
        group="AI",
        side_input="ai_votes",
        is_table=True,
        several=True,
        metavar="FILE",
    )
    ai_calibration: str | os.PathLike[str] | None = parameter(
        None,
        "calibrate the AI's scores first, by a file of plant-aggregate calibrate-ai",
        group="AI",
        needs="ai_votes",
        side_input="ai_votes",
        is_file=True,
        metavar="FILE",
    )

    __repr__ = changed_repr

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class AddOnSettings:
    """What is added to the consensus: columns and tables."""

    calibration: str | os.PathLike[str] | None = _of_scores(
        None,
        "add the column probability, by a file of plant-aggregate calibrate, or 'simulated' for one measured on "
        "simulated votes",
        is_file=True,
        words=(SIMULATED,),
        metavar="FILE",
    )
    soft: bool = _of_output(False, "also write posteriors.parquet: the share of every label voted")
    scores: "Paths | None" = _of_scores(
        None,
        "add the columns score_aum, aumc, waum and pruned, by a classifier's training scores in Parquet files, folders "
        "or globs, as plant-aggregate ambiguity does by default",
        is_table=True,
        several=True,
        metavar="SCORES",
    )
    # Columns of `schema.SCORE_LISTS` or `SCORE_ROWS` -> the files' own names.
    score_columns: Mapping[str, str] | None = _of_scores(
        None,
        "the score files' own name of a column, such as labels=top_labels",
        needs="scores",
        option="--score-column",
        metavar="COLUMN=NAME",
        columns_of=("SCORE_LISTS", "SCORE_ROWS"),
    )
    normalise: bool = normalise(needs="scores")

    __repr__ = changed_repr

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class PublishSettings:
    """How a run is published, or held back, and how many earlier ones are kept."""

    keep: int = _of_output(14, "older runs that stay for rollback", "at least 0")
    max_label_changes: float | None = _guard(
        None,
        "hold the run back (exit code 3) if of the observations in the published run a larger share has another label  "
        "[default: no limit]",
        "in [0, 1]",
    )
    max_valid_drop: float | None = _guard(
        None,
        "hold the run back if valid observations are fewer than in the published run by a larger share  "
        "[default: no limit]",
        "in [0, 1]",
    )
    lock: str = _of_output(
        "wait", "while another process writes in OUTPUT: wait, or fail at once (exit code 4)", choices=LOCK_MODES
    )

    __repr__ = changed_repr

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class RunningSettings:
    """What the process may use."""

    store_timeout: float = _of_process(
        TIME_LIMIT,
        "time that an object store has for an answer, retries included",
        "a positive number of seconds",
        unit="seconds",
    )
    threads: int | None = _of_process(None, "threads to run on  [default: all cores]", "in [1, 1024]")

    __repr__ = changed_repr

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True, repr=False)
class Settings(RunningSettings, PublishSettings, AddOnSettings, InputFiles, NameSettings, ReadSettings):
    """All that a run needs to know beside its votes and its strategy. Raises ParameterError.

    The order of the fields is that of the groups from the last to the first.

    Args:
        columns: the files' own name of a column, such as {'observation_id': 'obs'}. Default None.
        as_of: leave out votes cast later; a time without zone is UTC. Default None.
        max_rejected: share of the rows that may be unusable. In [0, 1], default 0.01.
        format: read votes from files of this format, one of plant-aggregate convert. Default: Parquet.
        format_options: an option of that format, such as {'task': 'T0'}; {'ids': 'integer'} or {'ids': 'text'} is the
            type of the ids. With format, default None.
        names: clean labels: one spelling for each scientific name, and no opinion where no species is certain. Default
            False.
        synonyms: replace synonyms by accepted names: CSV or TSV of the two, JSON of species with synonyms, or a ColDP
            or Darwin Core archive of taxa. Default None.
        checklist: labels that are not in this list count as no opinion: a name a line, a column of CSV or TSV, JSON, or
            an archive of taxa. Default None.
        parser: names must also be read as such by this parser, which is an extra. One of gbif, gnparser, with names,
            default None.
        to_species: subspecies, varieties, forms and cultivars count as their species. With names, default False.
        higher_taxa: keep genera and other taxa above species, which else count as no opinion. With names, default
            False.
        user_weights: Parquet or CSV file with user_id and fixed_weight (0 silences) or min_weight (a floor). Default
            None.
        experts: Parquet file, folder or glob with observation_id and label as experts gave them: the estimate holds
            these labels fixed, and learns from them how right the users are. Default None.
        experts_columns: the experts' files' own name of a column, such as {'label': 'species'}. With experts, default
            None.
        ai_votes: Parquet file, folder or glob with the AI's observation_id, label and score, to take part as ai_mode
            says. Default None.
        ai_calibration: calibrate the AI's scores first, by a file of plant-aggregate calibrate-ai. With ai_votes,
            default None.
        calibration: add the column probability, by a file of plant-aggregate calibrate, or 'simulated' for one measured
            on simulated votes. Default None.
        soft: also write posteriors.parquet: the share of every label voted. Default False.
        scores: add the columns score_aum, aumc, waum and pruned, by a classifier's training scores in Parquet files,
            folders or globs, as plant-aggregate ambiguity does by default. Default None.
        score_columns: the score files' own name of a column, such as {'labels': 'top_labels'}. With scores, default
            None.
        normalise: divide each score list by its sum. With scores, default False.
        keep: older runs that stay for rollback. At least 0, default 14.
        max_label_changes: hold the run back (exit code 3) if of the observations in the published run a larger share
            has another label. In [0, 1], default: no limit.
        max_valid_drop: hold the run back if valid observations are fewer than in the published run by a larger share.
            In [0, 1], default: no limit.
        lock: while another process writes in OUTPUT: wait, or fail at once (exit code 4). One of wait, fail, default
            'wait'.
        store_timeout: time that an object store has for an answer, retries included. A positive number of seconds,
            default 120.
        threads: threads to run on. In [1, 1024], default: all cores.
    """

    @property
    def tables(self) -> list[str | os.PathLike[str]]:
        """The files, folders and globs that are read row by row beside the votes."""
        from .files.sources import path_list

        paths = [getattr(self, name) for name, known in declared(self).items() if known.is_table]
        return [path for several in paths if several is not None for path in path_list(several)]

    def plain(self) -> dict[str, Any]:
        """The settings as in run.json: paths as strings, times in ISO 8601."""
        from .files.locations import redacted
        from .files.sources import path_list, printable
        from .kernels.threads import available_cores

        plain = {}
        for name, known in declared(self).items():
            value = getattr(self, name)
            if known.names_files and value is not None:
                paths = [printable(redacted(os.fspath(path))) for path in path_list(value)]
                value = paths if len(paths) > 1 or name == "scores" else paths[0]
            elif known.columns_of or known.is_mapping:
                value = dict(value or {})
            elif isinstance(value, datetime):
                value = value.isoformat()
            plain[name] = value
        return {**plain, "threads": self.threads or available_cores()}
