"""How texts are written, before they are read as names: white space, Unicode form, marks around them."""

import html
import re
import unicodedata

# What different programs write for the same mark. In names the ligatures are two letters (ICN 60.7).
SAME_MARK = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u02b9\u0060\u00b4\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\u2715\u2716\u2a2f\U0001d7a9", "×"),
        **{"æ": "ae", "œ": "oe", "Æ": "Ae", "Œ": "Oe", "ﬁ": "fi", "ﬂ": "fl"},
    }
)

TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
INVISIBLE = ("Cc", "Cf", "Cn", "Co", "Cs")  # Unicode categories of characters that show nothing
SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))  # choose between shapes of the character before


def tidy(text: str) -> tuple[str, tuple[str, ...]]:
    r"""A text with single spaces, in one Unicode form and without marks around it; and the rules that changed it.

    >>> tidy(" Quercus\xa0robur ")
    ('Quercus robur', ('white space',))
    >>> tidy("Quercus_robur")
    ('Quercus robur', ('underscores',))
    """
    changed: dict[str, None] = {}
    while True:
        before = text
        for rule, change in CHANGES.items():
            after = change(text)
            if after != text:
                changed[rule] = None
                text = after
        if text == before:
            return text, tuple(changed)


def folded(text: str) -> str:
    """A text without marks on its letters, in lower case.

    >>> folded("Isoëtes")
    'isoetes'
    """
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _without_markup(text: str) -> str:
    if "<" not in text and not ("&" in text and ";" in text):
        return text
    return html.unescape(TAG.sub("", text))


def _composed(text: str) -> str:
    if text.isascii() and text.isprintable() and "`" not in text:
        return text
    return unicodedata.normalize("NFC", "".join(filter(_shows, text.translate(SAME_MARK))))


def _shows(character: str) -> bool:
    return character not in SELECTORS and unicodedata.category(character) not in INVISIBLE


def _with_spaces(text: str) -> str:
    return text if " " in text else text.replace("_", " ")


def _unwrapped(text: str) -> str:
    bare = text.lstrip("†‡ ").rstrip(",;: ")
    if len(bare) > 2 and bare[0] == bare[-1] and bare[0] in "\"'" and bare.count(bare[0]) == 2:
        return bare[1:-1]
    return bare


CHANGES = {
    "white space": _spaced,
    "markup": _without_markup,
    "Unicode form": _composed,
    "underscores": _with_spaces,
    "marks around it": _unwrapped,
}
"""Name of a rule -> what it does to a text."""
