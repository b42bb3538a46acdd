"""Implementations by name, each loaded on first use: the built-in ones, and those of other installed packages.

A package adds an implementation with an entry point in the registry's group, here a strategy::

    [project.entry-points."plant_aggregate.strategies"]
    simple-majority = "my_package.strategies:SimpleMajority"
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import ParameterError, quoted

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """Name -> implementation, the default first.

    Iteration yields the built-in names only. A lookup finds the names of other packages too; their metadata is read at
    the first lookup of a name that is not built in, because that takes longer than all else that ``--help`` does. A
    built-in name cannot be replaced.

    Args:
        kind: what is registered, in the singular, for messages: "strategy".
        group: the entry points' group.
        package: the package that the built-in modules are relative to.
        built_in: name -> ".module:attribute".
        requires: attributes that an implementation of another package must have.
    """

    def __init__(
        self, kind: str, group: str, package: str, built_in: Mapping[str, str], requires: tuple[str, ...] = ()
    ) -> None:
        self._kind = kind
        self._group = group
        self._package = package
        self._built_in = built_in
        self._requires = requires

    def __iter__(self) -> Iterator[str]:
        return iter(self._built_in)

    def __len__(self) -> int:
        return len(self._built_in)

    def __contains__(self, name: object) -> bool:
        return name in self._built_in or name in self._installed

    def __getitem__(self, name: str) -> T:
        """Load an implementation.

        Raises KeyError for an unknown name, and ParameterError if that of another package cannot be used.
        """
        if name not in self._built_in:
            return self._load_installed(name)
        module, _, attribute = self._built_in[name].partition(":")
        implementation: T = getattr(import_module(module, self._package), attribute)
        return implementation

    def find(self, name: str) -> T:
        """As ``self[name]``; an unknown name is a ParameterError that lists all names, other packages' included."""
        if name not in self:
            raise ParameterError(f"{self._kind} is {name!r} but must be one of {', '.join(self.names)}")
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
        try:
            implementation: T = entry_point.load()
        except Exception as error:  # the other package's code may fail in any way
            raise self._unusable(entry_point, f"cannot be loaded ({type(error).__name__}: {error})") from error
        missing = [attribute for attribute in self._requires if not hasattr(implementation, attribute)]
        if missing:
            raise self._unusable(entry_point, f"has no {', '.join(missing)}")
        return implementation

    def _unusable(self, entry_point: "EntryPoint", fault: str) -> ParameterError:
        where = f"{self._kind} {quoted(entry_point.name)} of {_package_of(entry_point)}"
        return ParameterError(
            f"{entry_point.value} {fault}".splitlines()[0], where=where, remedy="update or uninstall that package"
        )


def _package_of(entry_point: "EntryPoint") -> str:
    """Name and version of the package that an entry point is from."""
    package: Any = entry_point.dist
    return "an unknown package" if package is None else f"{package.name} {package.version}"
