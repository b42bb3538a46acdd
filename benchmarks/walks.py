"""How many files and folders a name goes through: what one has to read, and to change, for the thing of that name.

``python -m benchmarks.walks 'ai_*,Ai*' theta_acc waum`` lists the files under aggregate/ and cli/ that mention a name,
as an identifier, a module that is imported, or a text that is nothing but the name, and counts the imports among them
that cross from one folder to another. Several names of one thing are joined by commas and may hold ``*``. ``--root``
names another checkout, to compare with, ``--under`` the folders to look at.
"""

import argparse
import ast
import fnmatch
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {
    "plant_aggregate.cli": "cli",
    "plant_aggregate": "aggregate",
    "aggregate_cli": "cli",
    "aggregate": "aggregate",
}
"""Where modules are, by the beginnings of the names that they are, or were, imported by."""


def main() -> None:
    """Print a block for each name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", help="identifiers: a variable, a parameter, a column")
    parser.add_argument("--root", type=Path, default=ROOT, help="a checkout (default: this one)")
    parser.add_argument("--under", nargs="+", default=["aggregate", "cli"], help="folders (default: all of ours)")
    options = parser.parse_args()
    trees = trees_of(options.root, options.under)
    for names in options.names:
        print(report(names, trees))


def trees_of(root: Path, folders: list[str]) -> dict[Path, ast.Module]:
    """The syntax tree of each source file, by its path below ``root``."""
    files = [path for folder in folders for path in sorted((root / folder).rglob("*.py"))]
    return {path.relative_to(root): ast.parse(path.read_text(encoding="utf-8")) for path in files}


def report(names: str, trees: dict[Path, ast.Module]) -> str:
    """A line that counts, and a line for each file."""
    patterns = names.split(",")
    known = {path: mentioned(tree) for path, tree in trees.items()}
    files = [path for path in trees if any(fnmatch.filter(known[path], pattern) for pattern in patterns)]
    folders = {path.parent for path in files}
    crossings = sum(
        target.parent != path.parent for path in files for target in imports(path, trees[path]) if target in files
    )
    counts = f"{len(files)} files in {len(folders)} folders, {crossings} imports from folder to folder"
    return "\n".join([f"{names}: {counts}", *(f"  {path}" for path in files)])


def mentioned(tree: ast.Module) -> set[str]:
    """All names in a file, and all texts."""
    found: set[str] = set()
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name", "asname"):
            if isinstance(text := getattr(node, field, None), str):
                found |= set(text.split("."))
        if isinstance(node, ast.ImportFrom):
            found |= set((node.module or "").split("."))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found


def imports(path: Path, tree: ast.Module) -> set[Path]:
    """The files that one imports from; those of other packages as files that are not there."""
    return {place for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for place in places(path, node)}


def places(path: Path, node: ast.ImportFrom) -> Iterator[Path]:
    """Where the names of an import may be: in a module, in a package, or modules of a package."""
    module = node.module or ""
    if node.level:
        home = path.parents[node.level - 1]
    else:
        start = next((start for start in FOLDERS if f"{module}.".startswith(f"{start}.")), "")
        home = Path(FOLDERS.get(start, ""))
        module = module[len(start) :].lstrip(".")
    home = home.joinpath(*module.split(".")) if module else home
    yield from (home.with_suffix(".py"), home / "__init__.py", *(home / f"{name.name}.py" for name in node.names))


if __name__ == "__main__":
    main()
