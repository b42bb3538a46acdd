"""Files of recorded scores, one for each epoch and process, which appear when the epoch is complete."""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..arrays import Flags
from ..arrow import lists_of, strings, to_arrow, to_numpy
from ..errors import ParameterError
from ..files.destination import UNFINISHED, check_place
from ..files.writing import flush, writing
from .lists import Ids, Lists

ITEMS = 1 << 20  # labels in a row group, roughly: what is kept in memory before it is written
DICTIONARY = 1 << 26  # bytes that the names of the labels may take in a row group
PATTERN = re.compile(r"(?:epoch-(\d+)|scores)-rank-(\d+)\.parquet", re.ASCII)


class ScoreFolder:
    """A folder with files of recorded scores. Raises ParameterError if it may not be one, PublishError.

    Files are named ``epoch-00003-rank-000.parquet``, those without epochs ``scores-rank-000.parquet``.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        check_place(self.path)
        with writing(self.path, "folder"):
            self.path.mkdir(parents=True, exist_ok=True)

    def epochs(self) -> list[int]:
        """The epochs that have a file, ascending."""
        return sorted({epoch for epoch, _ in self._files() if epoch is not None})

    def file(self, epoch: int | None, rank: int) -> Path:
        """The file of an epoch, or of scores without epochs, by a process."""
        return self.path / f"{'scores' if epoch is None else f'epoch-{epoch:05}'}-rank-{rank:03}.parquet"

    def check_kind(self, epoch: int | None) -> None:
        """Raise ParameterError if the folder has scores with epochs and these have none, or the other way round."""
        if any((other is None) != (epoch is None) for other, _ in self._files()):
            raise ParameterError(
                f"has scores {'with' if epoch is None else 'without'} epochs, which are not read together with others",
                where=str(self.path),
                remedy="record in another folder",
            )

    def remove_others(self, epoch: int | None, n_processes: int) -> None:
        """Remove what further processes recorded of an epoch, when there were more of them."""
        for other, rank in self._files():
            if other == epoch and rank >= n_processes:
                with writing(self.path, "folder"):
                    self.file(epoch, rank).unlink(missing_ok=True)

    def _files(self) -> list[tuple[int | None, int]]:
        """Epoch and rank of each file."""
        found = map(PATTERN.fullmatch, os.listdir(self.path))
        return [(None if match[1] is None else int(match[1]), int(match[2])) for match in found if match]


class EpochFile:
    """Collects the score lists of an epoch in a hidden file, which becomes visible in one step. Raises PublishError.

    Args:
        path: of the complete file.
        names: strings or integers; the label of each class.
        epoch: the number in the column of that name; None for no such column.
    """

    def __init__(self, path: Path, names: pa.Array, epoch: int | None) -> None:
        self._path = path
        self._names = names
        self._epoch = epoch
        self._staged = path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")
        self._writer: pq.ParquetWriter | None = None
        self._ids: list[pa.Array] = []
        self._waiting: list[Lists] = []
        self._items = 0
        for left in path.parent.glob(f".*{path.name}.*{UNFINISHED}"):  # by a process that was killed
            with suppress(OSError):
                left.unlink()

    def add(self, lists: Lists) -> None:
        """Add lists, which are written when there are enough for a row group."""
        self._waiting.append(lists)
        self._items += lists.labels.size
        if self._items >= ITEMS:
            self._write()

    def close(self) -> pa.Array:
        """Write what is left; the ids of all lists, in order."""
        if self._waiting:
            self._write()
        with writing(self._path, "folder"):
            if self._writer is not None:
                self._writer.close()
        return pa.concat_arrays(self._ids) if self._ids else pa.array([], pa.int64())

    def publish(self, kept: Flags) -> None:
        """Make the file visible, with the lists that are ``kept``; without any there is none."""
        with writing(self._path, "folder"):
            if not kept.any():
                self._path.unlink(missing_ok=True)
                self.discard()
                return
            if not kept.all():
                self._rewrite(kept)
            flush(self._staged)
            os.replace(self._staged, self._path)

    def discard(self) -> None:
        """Remove the hidden file."""
        if self._writer is not None:
            with suppress(OSError):
                self._writer.close()
        with suppress(OSError):
            self._staged.unlink(missing_ok=True)

    def _write(self) -> None:
        """Write what waits as a row group."""
        waiting, self._waiting, self._items = self._waiting, [], 0
        ids, lengths, labels, probabilities, tails = zip(*waiting, strict=True)
        observations = _ids_as_arrow(ids)
        offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
        words = pa.DictionaryArray.from_arrays(to_arrow(np.concatenate(labels)), self._names)
        columns = {"observation_id": observations}
        if self._epoch is not None:
            columns["epoch"] = to_arrow(np.full(len(observations), self._epoch, np.int32))
        columns["labels"] = lists_of(offsets, words)
        columns["probabilities"] = lists_of(offsets, to_arrow(np.concatenate(probabilities)))
        columns["tail"] = to_arrow(np.concatenate(tails))
        table = pa.table(columns)
        with writing(self._path, "folder"):
            if self._writer is None:
                self._writer = _writer(self._staged, table.schema)
            self._writer.write_table(table)
        self._ids.append(observations)

    def _rewrite(self, kept: Flags) -> None:
        """Write the hidden file anew, without the lists that are not kept."""
        whole = self._staged.with_name(f".whole{self._staged.name}")
        os.replace(self._staged, whole)
        row = 0
        try:
            with pq.ParquetFile(whole) as file, _writer(self._staged, file.schema_arrow) as writer:
                for group in range(file.num_row_groups):
                    table = file.read_row_group(group)
                    writer.write_table(table.filter(to_arrow(kept[row : row + table.num_rows])))
                    row += table.num_rows
        finally:
            whole.unlink()


def first_of_each(ids: Sequence[pa.Array]) -> list[Flags]:
    """Which ids are the first of their kind, in arrays one after the other."""
    some = [each for each in ids if len(each)]
    if not some:
        return [np.zeros(0, np.bool_) for _ in ids]
    codes = to_numpy(pa.concat_arrays(some).dictionary_encode().indices).astype(np.int64)
    seen = np.maximum.accumulate(codes)  # codes are given in the order of appearance
    first = np.concatenate([[True], codes[1:] > seen[:-1]])
    return np.split(first, np.cumsum([len(each) for each in ids])[:-1])


def _ids_as_arrow(ids: Sequence[Ids]) -> pa.Array:
    together = np.concatenate(ids)
    return to_arrow(together) if together.dtype == np.int64 else strings(together.tolist())


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        store_schema=False,  # which would have readers make dictionaries of the names
        dictionary_pagesize_limit=DICTIONARY,
        write_page_checksum=True,
    )
