"""A comparison of strategies as a file."""

from pathlib import Path

from ..comparison import Comparison
from ..errors import ParameterError, PublishError

TABLES = (".parquet", ".csv")
PLOTS = (".svg", ".png", ".pdf")


def check_suffix(output: str | None, plot: str | None) -> None:
    """Raise ParameterError, before any work is done, if a file's name does not say what to write."""
    for name, path, known in (("output", output, TABLES), ("plot", plot, PLOTS)):
        if path is not None and Path(path).suffix.lower() not in known:
            raise ParameterError(f"{name} is {path!r} but must end in {' or '.join(known)}")


def write_comparison(comparison: Comparison, path: str) -> None:
    """Write all measures as Parquet or CSV, as the file's name says. Raises PublishError."""
    from pyarrow import csv
    from pyarrow import parquet as pq

    table = comparison.to_arrow()
    try:
        if Path(path).suffix.lower() == ".csv":
            csv.write_csv(table, path)
        else:
            pq.write_table(table, path)
    except OSError as error:
        raise PublishError(f"cannot be written ({error.strerror or error})", where=path) from error
