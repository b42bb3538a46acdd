"""Every table that is read or written, column by column.

The reader, the writer, the documentation and the tests all take names, types and meanings from here. A type is
an Arrow type name, or one of ``id`` (any integer or string), ``label`` (string or integer), ``name`` (a string,
stored as a dictionary).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Column:
    """One column of a table: its name, type, meaning, and whether it may be absent or null."""

    name: str
    type: str
    meaning: str
    optional: bool = False
    nullable: bool = False


Table: TypeAlias = tuple[Column, ...]

VOTES: Table = (
    Column("observation_id", "id", "what was voted on"),
    Column("user_id", "id", "who voted"),
    Column("label", "label", "the species voted; null or blank withdraws the user's earlier vote", nullable=True),
    Column("is_author", "bool", "the voter took the pictures of this observation", optional=True, nullable=True),
    Column("voted_at", "timestamp", "when", optional=True, nullable=True),
)

USER_WEIGHTS: Table = (
    Column("user_id", "id", "whose weight is set"),
    Column("fixed_weight", "float64", "replaces the estimated weight; 0 silences", optional=True, nullable=True),
    Column("min_weight", "float64", "a floor under the estimated weight", optional=True, nullable=True),
)

CONSENSUS: Table = (
    Column("observation_id", "id", "as in the votes"),
    Column("label", "label", "consensus label"),
    Column("confidence", "float64", "share the label would keep if one unknown user dissented, in (0, 1)"),
    Column("valid", "bool", "may be used for training"),
    Column("status", "name", "`valid`, `contested` or `needs_votes`"),
    Column("ambiguous", "bool", "the area under the margin is below the threshold"),
    Column("aum", "float64", "area under the margin: margin averaged over the iterations, in [-1, 1]"),
    Column("margin", "float64", "agreement less the share of the strongest other label"),
    Column("agreement", "float64", "share of the weight that is on the label"),
    Column("weight", "float64", "weight on the label"),
    Column("entropy", "float64", "Shannon entropy of the labels' shares of weight, in nats"),
    Column("n_votes", "int32", "cleaned votes"),
    Column("n_labels", "int32", "distinct labels voted"),
    Column("runner_up", "label", "strongest other label, null if there is none", nullable=True),
)

POSTERIORS: Table = (
    Column("observation_id", "id", "as in the votes"),
    Column("label", "label", "a label voted on the observation"),
    Column("probability", "float64", "posterior probability of the label, or its share of the weight"),
)

USERS: Table = (
    Column("user_id", "id", "as in the votes"),
    Column("weight", "float64", "final weight"),
    Column("n_species", "int32", "species that count: authored, and a tenth of those voted"),
    Column("n_species_author", "int32", "species of the user's own valid observations"),
    Column("n_species_vote", "int32", "further species voted rightly on others' observations"),
    Column("n_votes", "int32", "cleaned votes"),
    Column("n_authored", "int32", "cleaned votes on the user's own observations"),
    Column("agreement_rate", "float64", "share of the user's votes that equal the consensus"),
    Column("self_validating", "bool", "the weight alone reaches theta_conf"),
)

REJECTED: Table = (
    Column("file", "string", "path of the file the row stands in"),
    Column("row", "int64", "position of the row in its file, from 0"),
    Column("reason", "name", "why the row cannot be used"),
    Column("observation_id", "id", "as in the votes", nullable=True),
    Column("user_id", "id", "as in the votes", nullable=True),
    Column("label", "label", "as in the votes", nullable=True),
)

TRUTH: Table = (
    Column("observation_id", "id", "as in the votes"),
    Column("label", "label", "the species it is"),
)

AI_VOTES: Table = (
    Column("observation_id", "id", "as in the votes"),
    Column("label", "label", "the species the model names first"),
    Column("score", "float64", "the model's score of that species, in [0, 1]"),
)


def arrow_schema(table: Table, **given: "pa.DataType") -> "pa.Schema":
    """The Arrow schema of ``table``; ``given`` types the ``id`` and ``label`` columns, by column name.

    >>> import pyarrow as pa
    >>> arrow_schema(TRUTH, observation_id=pa.int64(), label=pa.string()).names
    ['observation_id', 'label']
    """
    import pyarrow as pa

    named = {
        "name": pa.dictionary(pa.int8(), pa.string()),
        "bool": pa.bool_(),
        "timestamp": pa.timestamp("us"),
    }
    fields = []
    for column in table:
        if column.type in ("id", "label"):
            arrow_type = given[column.name]
        else:
            arrow_type = named.get(column.type) or pa.type_for_alias(column.type)
        fields.append(pa.field(column.name, arrow_type, nullable=column.nullable))
    return pa.schema(fields)
