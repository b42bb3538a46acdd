"""The program keeps to its own ground: no private names of others, no import machinery, and plain English."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.paths import ROOT

FOLDERS = ("aggregate", "cli", "tests", "benchmarks", "docs", "examples")
FILES = sorted(
    path.relative_to(ROOT) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if (ROOT / folder).is_dir()
)
OURS = ("plant_aggregate", "tests", "benchmarks", "conftest")

DOCUMENTED = {"os._exit", "sys._getframe", "_replace", "_asdict", "_fields"}
"""Names that look private and are documented: of os and sys, and of named tuples."""

SETTINGS = {
    "logging.lastResort",
    "numba.config.CACHE_DIR",
    "sys.argv",
    "sys.unraisablehook",
    "threading.excepthook",
    "warnings.showwarning",
}
"""What is there to be assigned, as its documentation says."""

IMPORT_MACHINERY = {"sys.meta_path", "sys.path_hooks", "sys.path_importer_cache"}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def strange(name: str, own: set[str]) -> bool:
    """Whether a name is private, and not to us."""
    return is_private(name) and name not in own and name not in DOCUMENTED


def is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def own_names(tree: ast.AST) -> Iterator[str]:
    """Private names that a file defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_self(node.value):
            yield node.attr


def imported(tree: ast.AST) -> dict[str, str]:
    """Names that stand for modules of others, or parts of them -> their full names."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for item in node.names:
                top = item.name.partition(".")[0]
                names[item.asname or top] = item.name if item.asname else top
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {item.asname or item.name: f"{node.module}.{item.name}" for item in node.names}
    return {name: full for name, full in names.items() if full.partition(".")[0] not in OURS}


def full_name(node: ast.AST, foreign: dict[str, str]) -> str:
    """``sys.modules`` for the expression, if it begins with a module of others; else empty."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in foreign:
        return ""
    return ".".join([foreign[node.id], *reversed(parts)])


def faults(tree: ast.AST, own: set[str]) -> Iterator[str]:
    """Lines that reach into what is not ours, and how."""
    foreign = imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None) or ""
            names = [item.name for item in node.names]
            if not getattr(node, "level", 0) and module.partition(".")[0] not in OURS:
                yield from (
                    f"{node.lineno}: imports {module}.{name}"
                    for name in names
                    if any(map(is_private, [*module.split("."), *name.split(".")]))
                )
        elif isinstance(node, ast.Attribute):
            full = full_name(node, foreign)
            if strange(node.attr, own if not full else set()) and full not in DOCUMENTED:
                yield f"{node.lineno}: {full or node.attr} is private to others"
            if full in IMPORT_MACHINERY:
                yield f"{node.lineno}: {full} is how others are imported"
            if isinstance(node.ctx, ast.Store | ast.Del) and full and full not in SETTINGS:
                yield f"{node.lineno}: {full} is replaced"
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            full = full_name(node.value, foreign)
            if full == "sys.modules":
                yield f"{node.lineno}: {full} is changed"
        elif isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if called in ("getattr", "setattr", "delattr", "hasattr"):  # those of monkeypatch, too
                texts = [item.value for item in node.args if isinstance(item, ast.Constant)]
                names = [text.rpartition(".")[2] for text in texts if isinstance(text, str)]
                yield from (f"{node.lineno}: {name} is private to others" for name in names if strange(name, own))
            if called == "setitem" and full_name(node.args[0], foreign) == "sys.modules":
                yield f"{node.lineno}: sys.modules is changed"
            if isinstance(node.func, ast.Name) and called == "setattr" and full_name(node.args[0], foreign):
                yield f"{node.lineno}: {full_name(node.args[0], foreign)} is changed"


TREES = {path: ast.parse((ROOT / path).read_text(encoding="utf-8")) for path in FILES}
OWN = {name for tree in TREES.values() for name in own_names(tree)}


def test_no_file_reaches_into_other_packages() -> None:
    found = [f"{path}:{fault}" for path, tree in TREES.items() for fault in faults(tree, OWN)]
    assert not found, "\n".join(found)


def test_the_command_line_uses_only_public_modules_and_names_of_the_engine() -> None:
    found = [
        f"{path}: imports {node.module}.{item.name}"
        for path, tree in TREES.items()
        if path.parts[0] == "cli"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and not node.level and node.module
        for item in node.names
        if any(map(is_private, [*node.module.split("."), item.name]))
    ]
    found += [
        f"{path}:{fault}"
        for path, tree in TREES.items()
        if path.parts[0] == "cli"
        for fault in faults(tree, set(own_names(tree)))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("import sys\nsys.meta_path.insert(0, 1)", "sys.meta_path"),
        ("import sys\nsys.modules['pandas'] = None", "sys.modules"),
        ("import sys as s\ndel s.modules['pandas']", "sys.modules"),
        ("monkeypatch.setitem(sys.modules, 'x', 1)\nimport sys", "sys.modules"),
        ("import numba.core.config as c\nc.CACHE_DIR = ''", "numba.core.config.CACHE_DIR is replaced"),
        ("from pyarrow import _compute", "pyarrow._compute"),
        ("import pyarrow._compute", "pyarrow._compute"),
        ("import pyarrow as pa\npa.lib._pc()", "pyarrow.lib._pc is private"),
        ("dispatcher._cache", "_cache is private"),
        ("getattr(dispatcher, '_cache')", "_cache is private"),
        ("monkeypatch.setattr('tempfile._x', 1)", "_x is private"),
        ("setattr(os, 'x', 1)\nimport os", "os is changed"),
    ],
)
def test_what_reaches_into_other_packages_is_found(code: str, fault: str) -> None:
    assert any(fault in found for found in faults(ast.parse(code), set()))


@pytest.mark.parametrize("code", ["import os\nos._exit(0)", "self._own = 1\nself._own", "from .sibling import _own"])
def test_what_is_ours_or_documented_is_not(code: str) -> None:
    assert not list(faults(ast.parse(code), {"_own"}))


QUAINT = re.compile(
    r"""\b(
        h[eo]ld(s|ing)?\ \S+(\ \S+){0,4}\ against | who\ stands | c[oa]m(e|es|ing)\ to\ light | but\ (for|where)
        | at\ one\ with | for\ us\ to\ say | what\ it\ is\ about | bec(ame|omes?)\ of
        | (is|are|was|were|be|been)\ told | the\ people | who\ was\ met | speaks?\ (for|against)
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
"""Idiom that readers had to decode, each with a plain technical word for it: evaluate, compare, appear, except, ..."""

TEXTS = [
    *(path for path in FILES if path.parts[0] in ("aggregate", "cli")),
    *(path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md")),
    *(path.relative_to(ROOT) for path in ROOT.glob("*.md") if path.name != "CHANGELOG.md"),
]


def quaint_phrases(text: str) -> list[str]:
    return [found[0] for found in QUAINT.finditer(" ".join(text.split()))]


def test_texts_are_free_of_idiom() -> None:
    found = {path: quaint_phrases((ROOT / path).read_text(encoding="utf-8")) for path in TEXTS}
    assert {path: phrases for path, phrases in found.items() if phrases} == {}


def test_idiom_is_found_across_lines() -> None:
    assert quaint_phrases("Hold a consensus\n    against expert labels, what became of it") == [
        "Hold a consensus against",
        "became of",
    ]
    assert quaint_phrases("Evaluate a consensus against expert labels; all but one, held back") == []
