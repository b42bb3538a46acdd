"""Valid configuration files, and what damage, haste and malice make of them."""

import json
import random
import re
from collections.abc import Callable

ORIGINALS = (
    """\
# The nightly job.
[run]
votes = ["/data/votes", "more/*.parquet"]
output = "/data/consensus"
strategy = "plantnet"
alpha = 0.5
max-iter = 100
as-of = 2026-11-23T02:15:00Z
max-rejected = 0.02
max-label-changes = 0.05
column = ["label=species", "user_id=who"]
soft = true
threads = 2
keep = 3
lock = "fail"

[evaluate]
truth = 'experts.parquet'
worst = 5
resamples = 0
json = false
""",
    """\
run.votes = ["a", 'b', \"\"\"c\"\"\"]
run.strategy = "dawid-skene"

[compare]
votes = [
  "one",  # the first
  "two",
]
truth = "experts.parquet"
strategies = "plantnet,majority"
ai-thresholds = "0.5,0.9"
seed = 7

["calibrate-ai"]
ai-votes = "ai.parquet"
truth = "experts.parquet"
method = "temperature"
""",
    """\
simulate = { folder = "made", scale = 1e-3, seed = 0, ai = true, parrots = 0.25, ids = "string", overwrite = true }

[runs]
output = "caf\\u00e9 \\U0001F33F"

[diff]
run-a = "latest"
run-b = "20261123T021500Z"
rows = 0x10

[ambiguity]
votes = ["v"]
scores = ["s", "t"]
score-column = ["labels=top"]
as-of = 2026-11-23
alpha = 0.01
trust = "weight"
by-label = true
""",
)
"""Tables of several commands, and values of every kind."""

VALUES = (
    *("true", "false", "nan", "-nan", "inf", "-inf", "1e400", "-0.0", "0x7fffffffffffffff", "9223372036854775808"),
    *("1" + "0" * 5000, "-1", "0", "1_000", "0b101", "1e3", "0.5", "2026-11-23", "02:15:00", "2026-11-23T02:15:00"),
    *("2026-11-23T02:15:00.123456+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "2026-02-30"),
    *("[]", "[[]]", "{}", "[{}]", "{a = 1}", '["a", 1, true]', "[1, 2]", "[nan]", '[""]', '""', "''", '" "'),
    *(r'"\u0000"', r'"\u001b[2J"', r'"\ud800"', r'"\U0010FFFF"', r'"\U00110000"', r'"\n\r\t"', r'"\x"', '"\\\\"'),
    *(
        '"""\nrun = 1\n[run]\n"""',
        "'''\n[x]\n'''",
        '"plantnet"',
        '"majority"',
        '"fail"',
        '"no such choice"',
        '"s3://x/y"',
    ),
    *(
        '"=a"',
        '"label="',
        '"label=x"',
        '"2026-11-23"',
        '"1"',
        '"nan"',
        '"true"',
        '"\u202e\u2028\x85"',
        '"' + "é" * 9000 + '"',
    ),
    *("[" * 50 + "]" * 50, "[" * 2000 + "]" * 2000, "{a=" * 300 + "1" + "}" * 300, "[" * 5000),
)
LINES = (
    *("[run]", "[[run]]", "[run.votes]", "[[runs.output]]", "[evaluate]", "[config]", "[help]", "[run]]", "[]", '[""]'),
    *('["run"]', "['run']", '["r\\u0075n"]', '["run\\n"]', '["\\u001b"]', "[rnu]", "[a.b.c.d]", "[ run ]", "[run] # x"),
    *("config = 'x'", "show = true", "help = true", "run = 1", "run = []", "run.a.b = 1", '"" = 1', '"a.b" = 1', "= 1"),
    *("debug = true", "votes = 'x'", "Votes = ['x']", "as_of = 'x'", "ALPHA = 1", "'thr\\eads' = 1", '"threads" = 3'),
    *("a" * 20_000 + " = 1", "a." * 300 + "a = 1", "[" + "a." * 300 + "a]", "a = 1\ra = 2", "\x0b", "\u2028x = 1"),
)
BLOCKS = (
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\0",
    b"\r",
    b"\x1b[31m",
    b"\x85",
    b"\x7f",
    b"\xf4\x90\x80\x80",
)
TOKEN = re.compile(r'\s+|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[\[\]{}=,.#]|[^\s\[\]{}=,.#"\']+|.')


LARGE = 0.01
"""Share of the files that are; each takes as long as a hundred others."""


def mutate(chance: random.Random, original: str) -> tuple[bytes, str]:
    """A mutated file, and how it was mutated."""
    text, made_by = original, []
    if chance.random() < LARGE:
        text, made_by = large(chance, text), ["large"]
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        change = chance.choice(OF_TEXT)
        text = change(chance, text)
        made_by.append(change.__name__)
    content = text.encode("utf-8", "surrogatepass")
    for _ in range(chance.choice((0, 0, 0, 1, 2))):
        change_bytes = chance.choice(OF_BYTES)
        content = change_bytes(chance, content)
        made_by.append(change_bytes.__name__)
    return content, ", ".join(made_by) or "nothing"


def other_value(chance: random.Random, text: str) -> str:
    return _in_a_line(chance, text, lambda line: line.partition("=")[0] + "= " + chance.choice(VALUES))


def value_in_list(chance: random.Random, text: str) -> str:
    return _in_a_line(chance, text, lambda line: line.partition("=")[0] + f"= [{chance.choice(VALUES)}]")


def misspelled(chance: random.Random, text: str) -> str:
    def spoil(line: str) -> str:
        key, equals, value = line.partition("=")
        place = chance.randrange(len(key) or 1)
        return (
            key[:place]
            + chance.choice(("", "x", "_", "-", ".", " ", '"', "é", key[place : place + 1] * 2))
            + (key[place + 1 :] + equals + value)
        )

    return _in_a_line(chance, text, spoil)


def quoted(chance: random.Random, text: str) -> str:
    def quote(line: str) -> str:
        key, equals, value = line.partition("=")
        return json.dumps(key.strip()) + equals + value

    return _in_a_line(chance, text, quote)


def swapped(chance: random.Random, text: str) -> str:
    tokens = TOKEN.findall(text)
    one, other = chance.randrange(len(tokens)), chance.randrange(len(tokens))
    tokens[one], tokens[other] = tokens[other], tokens[one]
    return "".join(tokens)


def without_token(chance: random.Random, text: str) -> str:
    tokens = TOKEN.findall(text)
    del tokens[chance.randrange(len(tokens))]
    return "".join(tokens)


def another_line(chance: random.Random, text: str) -> str:
    lines = text.split("\n")
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(LINES))
    return "\n".join(lines)


def line_twice(chance: random.Random, text: str) -> str:
    lines = text.split("\n")
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
    return "\n".join(lines)


def two_files(chance: random.Random, text: str) -> str:
    return text + chance.choice(ORIGINALS)


def large(chance: random.Random, text: str) -> str:
    """Around the size at which a file is no longer read."""
    size = chance.choice((1 << 20, 1 << 19, (1 << 20) + 1)) - len(text.encode("utf-8", "surrogatepass"))
    before, repeated, after = chance.choice(
        (
            ("\n#", "x", ""),
            ("", "\n", ""),
            ("\n[big]\na = '", "x", "'\n"),
            ("\n[big]\na = [", "0,", "]\n"),
            ("\n[big]\na = ", "[", "\n"),
            ("\n[big]\n", "'' = 1\n", ""),
            ("\n[", "x.", "x]\n"),
            ("\n[run]\nvotes = [", "'v',", "]\n"),
        )
    )
    room = max(0, size - len(before) - len(after))
    return text + before + repeated * (room // len(repeated)) + after


def many_faults(chance: random.Random, text: str) -> str:
    return text + "\n[calibrate]\n" + "".join(f"x{number} = 1\n" for number in range(chance.choice((10, 2000))))


def crlf(chance: random.Random, text: str) -> str:
    return text.replace("\n", chance.choice(("\r\n", "\r", "\n\r", "\u2028", "\x0b", "\x85")))


def flipped(chance: random.Random, content: bytes) -> bytes:
    place = chance.randrange(len(content) or 1)
    return content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :]


def cut(chance: random.Random, content: bytes) -> bytes:
    start = chance.randrange(len(content) or 1)
    return content[:start] + content[start + chance.choice((1, 3, 30, len(content))) :]


def repeated(chance: random.Random, content: bytes) -> bytes:
    start = chance.randrange(len(content) or 1)
    part = content[start : start + chance.choice((1, 5, 50))]
    return content[:start] + part * chance.choice((1, 2, 50)) + content[start:]


def inserted(chance: random.Random, content: bytes) -> bytes:
    place = chance.choice((0, len(content), chance.randrange(len(content) or 1)))
    return content[:place] + chance.choice(BLOCKS) + content[place:]


def _in_a_line(chance: random.Random, text: str, change: Callable[[str], str]) -> str:
    """The text with a line changed that has a value."""
    lines = text.split("\n")
    places = [place for place, line in enumerate(lines) if "=" in line]
    if places:
        place = chance.choice(places)
        lines[place] = change(lines[place])
    return "\n".join(lines)


OF_TEXT = (
    *(other_value, other_value, other_value, value_in_list, misspelled, quoted, swapped, without_token),
    *(another_line, another_line, line_twice, two_files, many_faults, crlf),
)
OF_BYTES = (flipped, cut, repeated, inserted)
