"""The parameters in the docstrings of strategies and settings, from their declarations.

Editors show the docstring that stands in the source. So the parameters are written there, as they are into the pages.
"""

import ast
import dataclasses
import inspect
import itertools
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import plant_aggregate
from plant_aggregate.parameters import Parameter, declared
from plant_aggregate.simulation import Simulation

HEADING = "Args:"
WIDTH = 120
PUBLIC = [getattr(plant_aggregate, name) for name in plant_aggregate.__all__]
DECLARING = {item: item for item in PUBLIC if dataclasses.is_dataclass(item) and declared(item)}
DECLARING[plant_aggregate.simulate] = Simulation
"""What has parameters in its docstring -> the class that declares them."""


def parameters_in_words(kind: type) -> dict[str, str]:
    """What each parameter of a class means, its range, and its default."""
    known = declared(kind)
    defaults = {item.name: item.default for item in dataclasses.fields(kind)}
    return {name: _in_words(parameter, defaults[name]) for name, parameter in known.items()}


def _in_words(parameter: Parameter, default: object) -> str:
    meaning, _, in_help = parameter.help.partition("[default: ")
    words = _as_in_python(meaning.strip())
    unset = in_help.rstrip("]") or _as_in_python(parameter.unset)
    of_default = f": {unset}" if unset else f" {default:.4g}" if isinstance(default, float) else f" {default!r}"
    facts = [parameter.range, parameter.needs and f"with {parameter.needs}", f"default{of_default}"]
    of_value = ", ".join(filter(None, facts))
    return f"{words}. {of_value[0].upper()}{of_value[1:]}."


def _as_in_python(text: str) -> str:
    """A text about options as one about arguments: ``--ai-mode`` is ai_mode, ``observation_id=obs`` an item."""
    text = re.sub(r"--([a-z-]+)", lambda option: option[1].replace("-", "_"), text)
    return re.sub(r"\b(\w+)=(\w+)", r"{'\1': '\2'}", text)


def section(kind: type, indent: str) -> list[str]:
    """The lines of the section, beginning with its heading."""
    lines = [f"{indent}{HEADING}"]
    for name, words in parameters_in_words(kind).items():
        first, rest = f"{indent}    {name}: ", f"{indent}        "
        lines += textwrap.wrap(words, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    return lines


def updated_sources() -> Iterator[tuple[Path, str]]:
    """Each file with a docstring of DECLARING, and what should be in it."""
    for path, described in itertools.groupby(DECLARING, lambda item: Path(inspect.getfile(item)).resolve()):
        text = path.read_text(encoding="utf-8")
        for item in described:
            text = with_section(text, item.__name__, DECLARING[item])
        yield path, text


def with_section(text: str, name: str, kind: type) -> str:
    """The source with the parameters of a class at the end of the docstring of a name, before an example."""
    (found,) = [node for node in ast.parse(text).body if getattr(node, "name", None) == name]
    assert isinstance(found, ast.ClassDef | ast.FunctionDef)
    docstring = found.body[0]
    assert isinstance(docstring, ast.Expr), f"{name} has no docstring"
    assert docstring.end_lineno is not None
    lines = text.split("\n")
    first, last = docstring.lineno - 1, docstring.end_lineno
    old = lines[first:last]
    if len(old) == 1:  # closing quotes in a line of their own
        old = [old[0].rstrip().removesuffix('"""'), '    """']
    begin = next((n for n, line in enumerate(old) if line.strip() == HEADING), None)
    example = next((n for n, line in enumerate(old) if line.strip().startswith(">>>")), len(old) - 1)
    before = old[: example if begin is None else begin]
    while not before[-1].strip():
        before.pop()
    after = old[example:]
    blank = [""] if after[0].strip() != '"""' else []
    return "\n".join([*lines[:first], *before, "", *section(kind, "    "), *blank, *after, *lines[last:]])
