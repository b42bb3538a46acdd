"""Implementations by name, each loaded on first use: the built-in ones, and those of other packages.

A package adds an implementation with an entry point in the registry's group, here a strategy::

    [project.entry-points."plant_aggregate.strategies"]
    simple-majority = "my_package.strategies:SimpleMajority"

Without one, ``my_package.strategies:SimpleMajority`` is its name, wherever that module can be imported.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import ParameterError, did_you_mean, on_one_line, quoted

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """Name -> implementation, the default first.

    Iteration yields the built-in names only. A lookup finds the names of other packages too; their metadata is read at
    the first lookup of a name that is not built in, because that takes longer than all else that ``--help`` does. A
    built-in name cannot be replaced. A name with a colon is that of a module and of what is in it.

    Args:
        kind: what is registered, in the singular, for messages: "strategy".
        group: the entry points' group.
        package: the package that the built-in modules are relative to.
        built_in: name -> ".module:attribute".
        fault_of: what an implementation of another package lacks to be one, in words; empty if nothing.
    """

    def __init__(
        self,
        kind: str,
        group: str,
        package: str,
        built_in: Mapping[str, str],
        fault_of: Callable[[Any], str] = lambda _: "",
    ) -> None:
        self._kind = kind
        self._group = group
        self._package = package
        self._built_in = built_in
        self._fault_of = fault_of

    def __iter__(self) -> Iterator[str]:
        return iter(self._built_in)

    def __len__(self) -> int:
        return len(self._built_in)

    def __contains__(self, name: object) -> bool:
        return name in self._built_in or is_path(name) or name in self._installed

    def __getitem__(self, name: str) -> T:
        """Load an implementation.

        Raises KeyError for an unknown name, and ParameterError if that of another package cannot be used.
        """
        if is_path(name):
            return self._load_path(name)
        if name not in self._built_in:
            return self._load_installed(name)
        module, _, attribute = self._built_in[name].partition(":")
        implementation: T = getattr(import_module(module, self._package), attribute)
        return implementation

    def find(self, name: str) -> T:
        """As ``self[name]``; an unknown name is a ParameterError that lists all names, other packages' included."""
        if name not in self:
            message = f"{self._kind} is {name!r} but must be one of {', '.join(self.names)}"
            module, _, attribute = name.rpartition(".")
            path = f"write {module}:{attribute} for a class of a module" if module and attribute else None
            raise ParameterError(message, remedy=did_you_mean(name, self.names) or path)
        return self[name]

    @property
    def names(self) -> list[str]:
        """All names, those of other packages last."""
        return [*self._built_in, *sorted(self._installed)]

    @cached_property
    def _installed(self) -> "dict[str, list[EntryPoint]]":
        """The entry points of other packages by name; a name that several packages use has several."""
        from importlib.metadata import entry_points

        installed: dict[str, list[EntryPoint]] = {}
        for entry_point in entry_points(group=self._group):
            if entry_point.name not in self._built_in:
                installed.setdefault(entry_point.name, []).append(entry_point)
        return installed

    def _load_installed(self, name: str) -> T:
        entry_point, *others = self._installed[name]
        if others:
            packages = ", ".join(sorted(map(_package_of, self._installed[name])))
            raise ParameterError(f"{self._kind} {name!r} is in several packages ({packages}): uninstall all but one")
        where = f"{self._kind} {quoted(name)} of {_package_of(entry_point)}"
        remedy = "update or uninstall that package"
        try:
            implementation: T = entry_point.load()
        except (Exception, SystemExit) as error:  # the other package's code may fail in any way
            fault = f"{entry_point.value} cannot be loaded ({_in_a_line(error)})"
            raise ParameterError(fault, where=where, remedy=remedy) from error
        return self._checked(implementation, entry_point.value, where, remedy)

    def _load_path(self, path: str) -> T:
        name, _, attribute = path.partition(":")
        where = f"{self._kind} {quoted(path)}"
        if not attribute.isidentifier() or not all(part.isidentifier() for part in name.split(".")):
            raise ParameterError("is no name of the form package.module:Class", where=where)
        try:
            module = import_module(name)
        except (Exception, SystemExit) as error:
            if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
                remedy = "install its package, or call from the folder that holds it, or name that in PYTHONPATH"
                if name.endswith(".py"):
                    remedy = f"write {name.removesuffix('.py')}:{attribute}"
                raise ParameterError(f"there is no module {quoted(error.name)}", where=where, remedy=remedy) from error
            fault = f"module {quoted(name)} cannot be imported ({_in_a_line(error)})"
            raise ParameterError(fault, where=where, remedy="mend the module") from error
        if not hasattr(module, attribute):
            question = did_you_mean(attribute, vars(module))
            raise ParameterError(f"module {quoted(name)} has no {attribute}", where=where, remedy=question)
        return self._checked(getattr(module, attribute), attribute, where)

    def _checked(self, implementation: T, name: str, where: str, remedy: str | None = None) -> T:
        fault = self._fault_of(implementation)
        if fault:
            raise ParameterError(f"{name} {fault}", where=where, remedy=remedy)
        return implementation


def is_path(name: object) -> bool:
    """Whether a name is meant as that of a module and of what is in it.

    >>> is_path("my_package.strategies:SimpleMajority"), is_path("majority")
    (True, False)
    """
    return isinstance(name, str) and ":" in name


def _in_a_line(error: BaseException) -> str:
    """The kind of an error of other code, and the first line of what it says."""
    return on_one_line(f"{type(error).__name__}: {error}".splitlines()[0])


def _package_of(entry_point: "EntryPoint") -> str:
    """Name and version of the package that an entry point is from."""
    package: Any = entry_point.dist
    return "an unknown package" if package is None else f"{package.name} {package.version}"
