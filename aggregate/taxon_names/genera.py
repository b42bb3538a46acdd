"""The genus in a name."""

import unicodedata

HYBRID = ("x", "X", "×")


def genus_of(label: str) -> str | None:
    """The genus that a name begins with; None if there is none.

    >>> [genus_of(name) for name in ("Carex flacca", "× Cuprocyparis leylandii", "×Cuprocyparis notabilis", "QUERCUS")]
    ['Carex', 'Cuprocyparis', 'Cuprocyparis', 'Quercus']
    >>> genus_of("Poaceae") is None
    True
    """
    words = unicodedata.normalize("NFC", label).split()
    while words and words[0] in HYBRID:
        words.pop(0)
    word = words[0].lstrip("×") if words else ""
    if not word or (len(words) == 1 and word.endswith("aceae")):
        return None
    return word[0].upper() + word[1:].lower()
