"""Areas under the margin from files of a classifier's training scores."""

import os
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from .assessment.ambiguity.result import Ambiguity
from .assessment.ambiguity.settings import AmbiguitySettings
from .assessment.ambiguity.sums import MarginSums
from .consensus import Consensus
from .files.locations import is_uri
from .files.prefetch import prefetched
from .files.sources import Paths, path_list
from .frames import check_columns, check_type
from .ingest.labels import cleaner_of
from .ingest.score_lists import check_scores, score_lists
from .listeners import ProgressLike, listening
from .progress import Progress
from .settings import Settings
from .taxon_names.settings import NameSettings

AHEAD = 2  # batches of score lists decoded ahead


def ambiguity_of(
    consensus: Consensus,
    scores: Paths,
    settings: AmbiguitySettings | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    names: NameSettings | None = None,
    progress: ProgressLike = None,
) -> Ambiguity:
    """Areas under the margin of a classifier's training scores, for the observations of a consensus.

    ``scores`` are Parquet files, folders or globs with the columns of ``schema.SCORE_LISTS`` or
    ``SCORE_ROWS``, which ``columns`` maps to the files' own; without ``epoch`` they are of one epoch, and areas are
    margins. ``names``: how labels are cleaned as scientific names, as those of the votes were; the probabilities of
    labels that become the same are added up. The lists are streamed, which takes memory for a few numbers for each
    label voted, and a bit for each observation and epoch. The result is the same, to the bit, in any order of the
    lists; of lists of the same observation and epoch the first is used, files in the order of their paths.

    Raises VotesError if a file cannot be read, a column is missing or has a wrong type, more than a share
    ``max_rejected`` of the lists cannot be used, or none is of an observation with votes. ``progress``: True shows a
    bar, False does not, by default there is one in notebooks; or a listener.
    """
    check_type("a consensus", consensus, Consensus, "ambiguity_of(PlantNet().fit(votes), scores)")
    check_type("settings", settings, (AmbiguitySettings, type(None)), "AmbiguitySettings(...)")
    check_columns(columns)
    votes = consensus.votes
    files = check_scores(scores, votes.observation_ids.type, votes.label_names.type, columns or {})
    cleaner = cleaner_of(names)
    with listening(progress) as listener:
        sums = MarginSums(consensus, settings or AmbiguitySettings(), files.origin, listener)
        listener.phase("read scores", total=files.rows, unit="rows")
        with prefetched(score_lists(files, votes.observation_ids, votes.label_names, cleaner), AHEAD) as batches:
            for lists in batches:
                sums.add(lists)
                listener.advance(lists.labels.size if files.is_long else len(lists))
        for file in files.files:
            file.source.check_unchanged()
        return sums.areas_under_margin(listener)


def check_local_scores(scores: Paths, types: Mapping[str, pa.DataType], columns: Mapping[str, str]) -> None:
    """Raise VotesError, before votes of some ``types`` are read, if scores cannot be used; no file is copied for it."""
    if not any(is_uri(os.fspath(path)) for path in path_list(scores)):
        check_scores(scores, types["observation_id"], types["label"], columns)


class MakesAmbiguity:
    """The setting ``scores``: areas under the margin of the consensus."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._paths = path_list(settings.scores or ())
        self._columns = settings.score_columns or {}

    def check(self, types: Mapping[str, pa.DataType]) -> None:
        """Raise VotesError if a local file cannot be used."""
        check_local_scores(self._paths, types, self._columns)

    def make(self, consensus: Consensus, progress: Progress) -> Ambiguity:
        """Read the scores, and compute the areas."""
        settings = AmbiguitySettings(normalise=self._settings.normalise, max_rejected=self._settings.max_rejected)
        given: dict[str, Any] = {"columns": self._columns, "names": self._settings}
        return ambiguity_of(consensus, self._paths, settings, **given, progress=progress)
