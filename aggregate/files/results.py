"""Measures and charts as files of the kind that their names say."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ParameterError, PublishError
from .writing import in_one_step, writing

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure

TABLES = (".parquet", ".csv")
PLOTS = (".svg", ".png", ".pdf")


def check_paths(output: str | None, plot: str | None, *, named: str = "output") -> None:
    """Before any work is done: raise ParameterError if a file's name does not say what to write.

    ``named``: what the option of the table is called.

    Raises PublishError if the folder to write in is not there.
    """
    for name, path, known in ((named, output, TABLES), ("plot", plot, PLOTS)):
        if path is not None and Path(path).suffix.lower() not in known:
            raise ParameterError(f"{name} is {path!r} but must end in {' or '.join(known)}")
        if path is not None and not Path(path).parent.is_dir():
            raise PublishError(f"cannot be written: there is no folder {str(Path(path).parent)!r}", where=path)


def write_measures(table: "pa.Table", path: str) -> None:
    """Write a table as Parquet or CSV. Raises PublishError."""
    from pyarrow import csv
    from pyarrow import parquet as pq

    with in_one_step(Path(path)) as staged, writing(path, "file"):
        if Path(path).suffix.lower() == ".csv":
            csv.write_csv(table, staged)
        else:
            pq.write_table(table, staged, write_page_checksum=True)


def write_plot(figure: "Figure", path: str) -> None:
    """Draw a chart into a file. Raises PublishError."""
    with in_one_step(Path(path)) as staged, writing(path, "file"):
        figure.savefig(staged, format=Path(path).suffix[1:].lower())
