"""A Parquet file taken apart into pages and metadata, and put together again with the offsets that belong to it."""

import zlib
from dataclasses import dataclass

import pyarrow as pa

from .thrift import Reader, Struct, write_struct

MAGIC = b"PAR1"
CODECS = {1: "snappy", 2: "gzip", 6: "zstd"}

# Fields of FileMetaData, RowGroup, ColumnChunk, ColumnMetaData and PageHeader.
ROW_GROUPS, COLUMNS, META = 4, 1, 3
CODEC, COMPRESSED_BYTES, DATA_OFFSET, DICTIONARY_OFFSET = 4, 7, 9, 11
UNCOMPRESSED_SIZE, COMPRESSED_SIZE, CRC, DATA_V2 = 2, 3, 4, 8


@dataclass
class Page:
    """A page as it stands in the file."""

    header: Struct
    body: bytes

    def content(self, codec: int) -> bytes | None:
        """What the body says when decompressed; None if that is not known."""
        if codec == 0:
            return self.body
        if codec not in CODECS or self.header.get(DATA_V2):
            return None
        return bytes(pa.decompress(self.body, self.header.get(UNCOMPRESSED_SIZE), codec=CODECS[codec]))

    def replace(self, content: bytes, codec: int) -> None:
        """Change the content, and the sizes with it."""
        self.header.put(UNCOMPRESSED_SIZE, len(content))
        self.body = content if codec == 0 else bytes(pa.compress(content, codec=CODECS[codec]))
        self.header.put(COMPRESSED_SIZE, len(self.body))

    def sign(self) -> None:
        """Make the checksum right, if there is one."""
        checksum = zlib.crc32(self.body)
        self.header.put(CRC, checksum - 2**32 if checksum >= 2**31 else checksum)


@dataclass
class Chunk:
    """A column's pages in one row group."""

    meta: Struct
    pages: list[Page]

    @property
    def codec(self) -> int:
        return int(self.meta.get(CODEC))


@dataclass
class File:
    """A file taken apart; ``write`` puts it together."""

    footer: Struct
    chunks: list[Chunk]

    @classmethod
    def read(cls, content: bytes) -> "File":
        """Take a valid file apart."""
        footer = Reader(content, footer_place(content)).struct()
        columns = [column for group in footer.get(ROW_GROUPS).items for column in group.get(COLUMNS).items]
        return cls(footer, [_chunk(content, column.get(META)) for column in columns])

    def write(self) -> bytes:
        """The bytes of the file: pages one after the other, and the metadata's offsets as they then are."""
        out = bytearray(MAGIC)
        for chunk in self.chunks:
            start, offsets = len(out), []
            for page in chunk.pages:
                offsets.append(len(out))
                out += write_struct(page.header) + page.body
            chunk.meta.put(COMPRESSED_BYTES, len(out) - start)
            if offsets:
                has_dictionary = chunk.meta.get(DICTIONARY_OFFSET) is not None
                chunk.meta.put(DICTIONARY_OFFSET, offsets[0])
                chunk.meta.put(DATA_OFFSET, offsets[1 if has_dictionary and len(offsets) > 1 else 0])
        return bytes(out) + footer_bytes(self.footer)


def footer_place(content: bytes) -> int:
    """Where the metadata of a valid file begins."""
    return len(content) - 8 - int.from_bytes(content[-8:-4], "little")


def footer_bytes(footer: Struct) -> bytes:
    """The end of a file with this metadata."""
    written = write_struct(footer)
    return written + len(written).to_bytes(4, "little") + MAGIC


def _chunk(content: bytes, meta: Struct) -> Chunk:
    start = meta.get(DICTIONARY_OFFSET, meta.get(DATA_OFFSET))
    reader, pages = Reader(content, start), []
    while reader.place < start + meta.get(COMPRESSED_BYTES):
        header = reader.struct()
        body = content[reader.place : reader.place + header.get(COMPRESSED_SIZE)]
        reader.place += len(body)
        pages.append(Page(header, body))
    return Chunk(meta, pages)
