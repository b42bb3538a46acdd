"""File names of labels and observations that every file system, archive and tool takes as they are: ASCII, no dots."""

import hashlib
import os
import re
import unicodedata
from urllib.parse import urlsplit

from ..files.locations import is_uri

UNSAFE = re.compile(r"[^A-Za-z0-9-]+")
SUFFIX = re.compile(r"\.[a-z0-9]{1,5}")
LONGEST = 80  # characters
LETTERS = str.maketrans({"×": "x", "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l"})


def safe_name(text: str) -> str:
    """A text as a file name: letters without their accents, and an underscore for all that is no letter or digit.

    Different texts may have the same.

    >>> safe_name("Acer × freemanii"), safe_name("Spiræa x pseudosalicifólia"), safe_name("Rosa/Rubus sp.")
    ('Acer_x_freemanii', 'Spiraea_x_pseudosalicifolia', 'Rosa_Rubus_sp')
    """
    plain = unicodedata.normalize("NFKD", text.translate(LETTERS)).encode("ascii", "ignore").decode()
    return UNSAFE.sub("_", plain).strip("_-")[:LONGEST]


def class_folders(names: list[str]) -> list[str]:
    """A folder for each class by its index, in whose order they also sort.

    >>> class_folders(["Acer × freemanii", "Betula pendula"])
    ['0000_Acer_x_freemanii', '0001_Betula_pendula']
    """
    width = max(4, len(str(len(names) - 1)))
    return [f"{place:0{width}}_{safe_name(name)}".rstrip("_") for place, name in enumerate(names)]


def unique_name(observation_id: int | str, number: int) -> str:
    """The name of a picture of an observation, without a suffix: another one for each.

    >>> unique_name(1000000508, 0), unique_name("https://example.org/7", 1)
    ('1000000508_0', 'https_example_org_7-ffd3aaca_1')
    """
    text = str(observation_id)
    name = safe_name(text)
    if name != text:  # it may be that of another id, too
        name += f"-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return f"{name}_{number}"


def suffix_of(place: str) -> str:
    """The suffix of a picture, in lower case; .jpg where there is none.

    >>> suffix_of("a/b.JPEG"), suffix_of("https://example.org/medium.png?size=2"), suffix_of("photo")
    ('.jpeg', '.png', '.jpg')
    """
    suffix = os.path.splitext(urlsplit(place).path if is_uri(place) else place)[1].lower()
    return suffix if SUFFIX.fullmatch(suffix) else ".jpg"
