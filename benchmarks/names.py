"""How long it takes to clean labels as scientific names, with and without a list of synonyms, a checklist and a parser.

python -m benchmarks.names --labels 50000

Labels are made of syllables and real authors, and come in the spellings that platforms have; each is distinct. Every
contender is a process of its own, which prints its seconds, and the memory that it took on while it cleaned.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from plant_aggregate import NameSettings
from plant_aggregate.taxon_names.cleaner import NameCleaner

CONTENDERS = ("rules", "lists", "gbif", "gnparser")

SYLLABLES = ("ba", "ce", "di", "fo", "gra", "hel", "ile", "la", "men", "no", "pe", "qua", "ro", "sal", "ta", "ul", "vi")
AUTHORS = (
    "L.",
    "(L.) Mill.",
    "(Thunb.) Decne. & Planch.",
    "d'Urv.",
    "(G.Gaertn., B.Mey. & Scherb.) Willd.",
    "Hook.f. ex Benth.",
    "(Amo) van Slageren",
    "R.M.Bateman, Pridgeon & M.W.Chase",
)
SPELLINGS: tuple[Callable[[str, str], str], ...] = (
    lambda name, _: name,
    lambda name, author: f"{name} {author}",
    lambda name, author: f"{name} {author}",
    lambda name, author: f"{name} subsp. alba {author}",
    lambda name, author: f"{name.replace(' ', ' × ')} {author}",
    lambda name, _: name.upper(),
    lambda name, _: name.replace(" ", "\u00a0 "),
    lambda name, _: f"{name.split()[0]} cf. {name.split()[1]}",
)


def made_labels(n: int) -> Iterator[str]:
    """Distinct labels."""
    drawn, seen = random.Random(1), set()
    while len(seen) < n:
        genus = "".join(drawn.choices(SYLLABLES, k=3)).capitalize()
        name = f"{genus} {''.join(drawn.choices(SYLLABLES, k=3))}us"
        label = drawn.choice(SPELLINGS)(name, drawn.choice(AUTHORS))
        if label not in seen:
            seen.add(label)
            yield label


def settings_of(contender: str, labels: list[str], folder: Path) -> NameSettings:
    """Settings, with files of a tenth of the labels."""
    if contender == "rules":
        return NameSettings(names=True)
    if contender != "lists":
        return NameSettings(names=True, parser=contender)
    some = labels[::10]
    synonyms, checklist = folder / "synonyms.tsv", folder / "checklist.txt"
    pairs = zip(some[::2], some[1::2], strict=False)
    synonyms.write_text("verbatim\taccepted\n" + "".join(f"{one}\t{other} alba\n" for one, other in pairs))
    checklist.write_text("\n".join(labels[5::10]))
    return NameSettings(names=True, synonyms=synonyms, checklist=checklist)


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def measure(contender: str, n: int) -> None:
    """Clean the labels once, and print what it took."""
    labels = list(made_labels(n))
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        cleaner = NameCleaner(settings_of(contender, labels, Path(folder)))
        loaded = time.perf_counter()
        before, worked = resident(), time.process_time()
        decisions = cleaner.decide(labels)
        ended, worked = time.perf_counter(), time.process_time() - worked
    kept = sum(decision.label is not None for decision in decisions)
    print(
        f"{contender:10} {loaded - began:6.2f} s to load, {ended - loaded:6.2f} s to clean, {worked:6.2f} s of them at "
        f"work ({1e6 * worked / n:5.1f} µs a label), {(resident() - before) / 1e6:6.1f} MB more; {kept:,} kept"
    )


def main() -> None:
    """Parse, and measure each contender in a process of its own."""
    parser = argparse.ArgumentParser(description="Seconds to clean labels as scientific names.")
    parser.add_argument("--labels", type=int, default=50_000, help="number of distinct labels")
    parser.add_argument("--only", choices=CONTENDERS, help="measure one of them, in this process")
    options = parser.parse_args()
    if options.only:
        measure(options.only, options.labels)
        return
    for contender in CONTENDERS:
        command = [sys.executable, "-m", "benchmarks.names", "--labels", str(options.labels), "--only", contender]
        subprocess.run(command, check=False)


if __name__ == "__main__":
    main()
