"""Whether a scientific name without its author is that of a species, by its form."""


def is_binomial(name: str) -> bool:
    """Whether a name begins with a genus and an epithet, as those of species and of what is below them do.

    >>> [is_binomial(name) for name in ("Acer campestre", "Rosa × damascena", "× Sorbaronia fallax")]
    [True, True, True]
    >>> [is_binomial(name) for name in ("Taraxacum", "Taraxacum sect. Taraxacum", "Rosa sp.", "Human vocal", "Dog")]
    [False, False, False, True, False]
    """
    words = [word.removeprefix("×") for word in name.split() if word not in ("×", "x")]
    if len(words) < 2:
        return False
    genus, epithet = words[:2]
    is_genus = genus[:1].isupper() and genus[1:].replace("-", "").islower() and genus.replace("-", "").isalpha()
    return is_genus and epithet.islower() and epithet.replace("-", "").isalpha()
