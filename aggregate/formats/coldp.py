"""A Catalogue of Life data package (https://github.com/CatalogueOfLife/coldp): taxa, and no votes."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

import pyarrow as pa

from ..archives.taxa import NO_TAXA, Usage, coldp_usages
from ..archives.text_rows import Fault
from ..parameters import parameter
from .base import LONGEST, Account, Part, Rejected
from .recognition import wrong_layout
from .rows import Rows

if TYPE_CHECKING:
    from .recognition import Sample


@dataclass(frozen=True)
class ColDp:
    """A Catalogue of Life data package, a folder or zip file with NameUsage, or Name and Taxon: its taxonomy."""

    name: ClassVar[str] = "coldp"

    label: str = parameter(
        "name", "what labels are: names without authorship, or ids of taxa", choices=("name", "id"), group="Format"
    )

    @staticmethod
    def recognises(sample: "Sample") -> bool:
        """Whether it has the tables of names."""
        names = {entry.rpartition("/")[2].rpartition(".")[0].lower() for entry in sample.entries}
        return "nameusage" in names or {"name", "taxon"} <= names

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The taxa of packages."""
        for path in paths:
            usages = coldp_usages(path)
            if usages is None:
                remedy = "name a folder or zip file with NameUsage.tsv, or Name.tsv and Taxon.tsv"
                raise wrong_layout(path, self.name, "has no table NameUsage, and not both Name and Taxon", remedy)
            yield from taxonomy_rows(usages, self.label, account)


class Usages(Protocol):
    """Reads the names of a taxonomy; each call from the beginning."""

    def __call__(self, notes: Counter[str], faulty: Callable[[str, Fault], None]) -> Iterator[Usage]:
        """The names; notes are counted, and rows that cannot be read go to ``faulty``."""


def taxonomy_rows(usages: Usages, by: str, account: Account) -> Iterator[Part]:
    """The taxa of a taxonomy, whose labels are their names or their ids, as ``by`` says.

    Names need those of the taxa above: the table is read three times, and takes memory for the names of all taxa that
    have others below, and once more for all names, as two taxa may have the same: the first has it.
    """
    table = "taxonomy"
    name_of: dict[str, str] = {}
    if by == "name":
        parents = {usage.parent for usage in usages(Counter(), _ignore) if usage.is_taxon}
        name_of = {usage.id: usage.name for usage in usages(Counter(), _ignore) if usage.id in parents}
    taxa = Rows(table, label=pa.string(), parent=pa.string(), rank=pa.string(), name=pa.string())
    seen: set[str] = set()
    for usage in usages(account.facts, partial(_reject_fault, account)):
        account.read(table=table)
        label = usage.name if by == "name" else usage.id
        if usage.status in NO_TAXA:
            account.leave_out(f"with the status {usage.status}", table=table)
        elif not usage.is_taxon:
            account.leave_out("synonyms, which --synonyms reads", table=table)
        elif not label.strip():
            reason = f"without {'a name' if by == 'name' else 'an id'}"
            account.reject(Rejected(table, usage.where, "line", usage.line, reason, text=usage.full_name or None))
        elif label in seen:
            account.leave_out(f"with the {by} of an earlier taxon", table=table)
        else:
            seen.add(label)
            parent = (name_of.get(usage.parent) if by == "name" else usage.parent) or None
            if usage.parent and parent is None:
                account.note("taxa whose parent is not in the table: they have none")
            taxa.add(label, parent, usage.rank or None, usage.name or None)
        yield from taxa.full()
    yield from taxa.rest()


def _ignore(where: str, fault: Fault) -> None:
    """Faults are counted when the table is read for its rows."""


def _reject_fault(account: Account, where: str, fault: Fault) -> None:
    account.read(table="taxonomy")
    text = fault.text[:LONGEST]
    account.reject(Rejected("taxonomy", where, "line", fault.line, fault.reason, text=text))
