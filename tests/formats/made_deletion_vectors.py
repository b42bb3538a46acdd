"""Deletion vectors of Delta Lake, which deltalake reads and does not write, by
https://github.com/delta-io/delta/blob/master/PROTOCOL.md#deletion-vector-format and
https://github.com/RoaringBitmap/RoaringFormatSpec.
"""

import base64
import json
import struct
from collections.abc import Sequence
from pathlib import Path

Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
B85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"


def vector(rows: Sequence[int]) -> dict[str, object]:
    """The rows, below 65,536, as an inline deletion vector."""
    container = struct.pack(f"<{len(rows)}H", *sorted(rows))
    bitmap = struct.pack("<IIHHI", 12346, 1, 0, len(rows) - 1, 16) + container
    content = struct.pack("<IQI", 1681511377, 1, 0) + bitmap
    padded = content + bytes(-len(content) % 4)
    encoded = base64.b85encode(padded).decode().translate(str.maketrans(B85, Z85))
    return {"storageType": "i", "pathOrInlineDv": encoded, "sizeInBytes": len(content), "cardinality": len(rows)}


def delete(table: Path, version: int, rows: Sequence[int]) -> None:
    """Delete rows of the file that was added in ``version``, as the next version."""
    log = table / "_delta_log"
    actions = [json.loads(line) for line in (log / f"{version:020}.json").read_text().splitlines()]
    (added,) = (action["add"] for action in actions if "add" in action)
    removed = {"path": added["path"], "dataChange": True, "deletionTimestamp": 1, "size": added["size"]}
    features = ["deletionVectors"]
    protocol = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features, "writerFeatures": features}
    latest = max(int(file.stem) for file in log.glob("*.json"))
    lines = [
        {"protocol": protocol},
        {"remove": removed},
        {"add": added | {"deletionVector": vector(rows)}},
        {"commitInfo": {"operation": "DELETE"}},
    ]
    (log / f"{latest + 1:020}.json").write_text("\n".join(map(json.dumps, lines)) + "\n")
