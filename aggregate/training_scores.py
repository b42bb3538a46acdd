"""Areas under the margin from files of a classifier's training scores."""

import os
from collections.abc import Mapping

import pyarrow as pa

from .assessment.ambiguity import Ambiguity, ambiguity_of
from .assessment.ambiguity_settings import AmbiguitySettings
from .consensus import Consensus
from .files.sources import path_list
from .files.stores import is_uri
from .ingest.score_lists import check_scores
from .progress import Progress
from .settings import Settings


class MakesAmbiguity:
    """The setting ``scores``: areas under the margin of the consensus."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._paths = path_list(settings.scores or ())
        self._columns = settings.score_columns or {}

    def check(self, types: Mapping[str, pa.DataType]) -> None:
        """Scores on this machine are looked into before the votes are read; others when it is their turn."""
        if not any(is_uri(os.fspath(path)) for path in self._paths):
            check_scores(self._paths, types["observation_id"], types["label"], self._columns)

    def make(self, consensus: Consensus, progress: Progress) -> Ambiguity:
        """Reads the scores."""
        settings = AmbiguitySettings(normalise=self._settings.normalise, max_rejected=self._settings.max_rejected)
        return ambiguity_of(consensus, self._paths, settings, columns=self._columns, progress=progress)
