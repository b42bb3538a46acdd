"""Digests of votes, as they are described."""

MASK = 2**64 - 1


def stir(word: int) -> int:
    word = (word + 0x9E3779B97F4A7C15) & MASK
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
    return word ^ (word >> 31)


def hash_of(value: int | str) -> int:
    """FNV-1a of the UTF-8 bytes, stirred; an integer is itself, modulo 2**64."""
    if isinstance(value, int):
        return value & MASK
    result = 0xCBF29CE484222325
    for byte in value.encode():
        result = ((result ^ byte) * 0x100000001B3) & MASK
    result ^= result >> 32
    result = (result * 0xD6E8FEB86659FD93) & MASK
    return result ^ (result >> 32)


def digest(votes: list[tuple[int | str, int | str, bool]]) -> int:
    """Of the (user, label, is author) of one observation; 0 is kept for none."""
    total = 0
    for user, label, author in votes:
        voter = stir((stir(hash_of(user)) + author) & MASK)
        total += stir((voter + hash_of(label)) & MASK)
    return max((total & MASK) >> 32, 1) if votes else 0
