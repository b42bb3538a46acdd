"""What pyproject.toml promises about versions, in words that pip understands.

    versions.py lowest EXTRA...    the lowest version of every dependency, and of what builds, as a constraints file
    versions.py matrix             environments that have every minor version between, a line of requirements each
    versions.py oldest             the oldest environment that there is for this Python

Which versions there are is asked of pip, for the Python that runs this. Needs `packaging`.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

PYPROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
VARIED = ("numba", "pandas", "pyarrow", "numpy")
"""What differs from one minor version to the next in ways that have reached us; of the rest the newest is taken."""
WHEELS = ("--only-binary", ":all:")


def declared(*extras: str) -> list[Requirement]:
    """The requirements that hold on this Python, those of the extras included, and of extras that these name."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    found = _that_hold_here(lines)
    named = {extra for one in found if one.name == PROJECT["name"] for extra in one.extras}
    return [*(one for one in found if one.name != PROJECT["name"]), *(declared(*sorted(named)) if named else [])]


def lowest(requirement: Requirement) -> Version:
    """The version behind its ``>=``."""
    bounds = [Version(one.version) for one in requirement.specifier if one.operator in (">=", "==", "~=")]
    if not bounds:
        raise SystemExit(f"pyproject.toml: {requirement} says no lowest version")
    return max(bounds)


def minors(requirement: Requirement) -> list[str]:
    """Every minor version from the lowest on, ascending: "2.1", "2.2", "3.0"."""
    answer = _pip("index", "versions", requirement.name)
    if answer is None or "Available versions:" not in answer:
        raise SystemExit(f"pip does not say which versions of {requirement.name} there are")
    listed = answer.split("Available versions:")[1].splitlines()[0].split(",")
    versions = {Version(text.strip()) for text in listed}
    wanted = {version.release[:2] for version in versions if version >= lowest(requirement)}
    return [f"{major}.{minor}" for major, minor in sorted(wanted)]


@cache
def needs(name: str, minor: str) -> dict[str, SpecifierSet] | None:
    """What the last release of a minor version asks of other packages; None if it has no wheel for this Python."""
    dry = ("install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps", "--report", "-")
    report = _pip(*dry, *WHEELS, f"{name}=={minor}.*")
    if report is None:
        return None
    asked = _that_hold_here(json.loads(report)["install"][0]["metadata"].get("requires_dist", []))
    return {canonicalize_name(one.name): one.specifier for one in asked}


def fit(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two minor versions go together. Bounds are on minor versions; ".99" is any release of one."""
    (name, minor), (other_name, other_minor) = one, other
    mine, theirs = needs(name, minor), needs(other_name, other_minor)
    if mine is None or theirs is None:
        return False
    anything = SpecifierSet()
    return mine.get(other_name, anything).contains(f"{other_minor}.99") and theirs.get(name, anything).contains(
        f"{minor}.99"
    )


def chosen(wishes: dict[str, list[str]]) -> dict[str, str] | None:
    """Of each package a version, all of which go together; those wished first if it may be. None if there are none."""
    if not wishes:
        return {}
    (name, versions), *others = wishes.items()
    for version in versions:
        mine = (name, version)
        left = {other: [one for one in theirs if fit(mine, (other, one))] for other, theirs in others}
        if fit(mine, mine) and (choice := chosen(left)) is not None:
            return {name: version, **choice}
    return None


def matrix() -> list[dict[str, str]]:
    """As few environments as it takes to have each minor version in one of them, old ones with old ones."""
    there = {name: [one for one in versions if needs(name, one) is not None] for name, versions in _varied().items()}
    missing = {name: list(versions) for name, versions in there.items()}
    made = []
    while any(missing.values()):
        # What has most versions left leads, the others follow; what has none left comes in its newest that fits.
        leader, *others = sorted(VARIED, key=lambda name: -len(missing[name]))
        first = missing[leader].pop(0)
        choice = chosen({leader: [first], **{name: missing[name] + there[name][::-1] for name in others}})
        if choice is None:
            print(f"{leader} {first}: not tested, it goes with no version of the others", file=sys.stderr)
            continue
        missing = {name: [one for one in versions if one != choice[name]] for name, versions in missing.items()}
        made.append(choice)
    return made


def oldest() -> dict[str, str]:
    """The environment of the oldest versions that go together."""
    choice = chosen(_varied())
    if choice is None:
        raise SystemExit(f"no versions of {', '.join(VARIED)} go together on this Python")
    return choice


def _varied() -> dict[str, list[str]]:
    requirements = {one.name: one for one in declared()}
    return {name: minors(requirements[name]) for name in VARIED}


def _that_hold_here(lines: Iterable[str]) -> list[Requirement]:
    """Without those for other Pythons or systems, or for extras."""
    parsed = map(Requirement, lines)
    return [one for one in parsed if one.marker is None or one.marker.evaluate({"extra": ""})]


def _pip(*arguments: str) -> str | None:
    """What pip answers; None if it cannot do it."""
    done = subprocess.run([sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def main(what: str, *extras: str) -> None:
    """Print one of the three."""
    if what == "lowest":
        for requirement in [*declared(*extras), *map(Requirement, PYPROJECT["build-system"]["requires"])]:
            print(f"{requirement.name}=={lowest(requirement)}")
        return
    for choice in matrix() if what == "matrix" else [oldest()]:
        print(*(f"{name}=={choice[name]}.*" for name in VARIED))


if __name__ == "__main__":
    main(*sys.argv[1:])
