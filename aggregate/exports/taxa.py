"""Names and genera of labels, from a table of these or a taxonomy."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from ..errors import VotesError
from ..files.parquet import check_side_input, origin_of, stream_all, types_of
from ..schema import GENERA
from ..taxon_names.genera import genus_of

if TYPE_CHECKING:
    from ..files.sources import Paths

Label = str | int


class Taxa(NamedTuple):
    """What labels are called, and to which genera they belong."""

    names: Mapping[Label, str]
    genera: Mapping[Label, str]  # without labels whose genus is not known


def read_taxa(paths: "Paths", label_type: pa.DataType) -> Taxa:
    """Read Parquet files with the columns of ``schema.GENERA``; labels must be of the type of the run's.

    The genus of a label is the one in its row; in a table without genera it is the ancestor of that rank, else what the
    name begins with. Raises VotesError.
    """
    from ..files.sources import path_list

    files = check_side_input(path_list(paths), GENERA, {}, remedy="name its columns label and genus")
    kind = types_of(files)["label"]
    if pa.types.is_integer(kind) != pa.types.is_integer(label_type):
        raise VotesError(
            f"column 'label' has type {kind}, but {label_type} in the consensus",
            where=origin_of(files),
            remedy="write both with the same type",
        )
    rows = {
        row["label"]: row
        for batch, _, _ in stream_all(files, GENERA)
        for row in batch.to_pylist()
        if row["label"] is not None
    }
    if "genus" in types_of(files):
        found = {label: row.get("genus") for label, row in rows.items()}
    else:
        found = {label: _genus(label, rows) for label in rows}
    names = {label: row["name"] for label, row in rows.items() if row.get("name")}
    return Taxa(names, {label: genus for label, genus in found.items() if genus})


def _genus(label: Label, rows: "Mapping[Label, Mapping[str, str | None]]") -> str | None:
    """The genus of a label among the ``rows`` of a taxonomy, by label."""
    seen: set[Label] = set()
    above: Label | None = label
    while above is not None and above in rows and above not in seen:
        seen.add(above)
        row = rows[above]
        if row.get("rank") == "genus":
            return row.get("name") or str(above)
        above = row.get("parent")
    name = rows[label].get("name") or label
    return genus_of(name) if isinstance(name, str) else None
