"""Import aiortc without PyAV and dnspython: 18 MB and a tenth of a second that most sessions do without.

aiortc imports PyAV's classes by name, long before it decodes anything. Stand-ins take their places, and any
use of one of them but ``isinstance`` imports PyAV and puts the real ones there. aioice uses dnspython for
hosts whose names end in ``.local``; its modules are read when something in them is used.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType
from typing import TYPE_CHECKING, Any

__all__ = ["av", "import_aiortc", "import_av", "import_dnspython", "import_for_first_call"]

_LIBRARY = "av"
_USERS = ("aiortc", "simlab")
_OF_FIRST_REQUEST = ("anyio", "anyio._backends._asyncio", "sniffio")  # httpcore imports them with it
_READ_LATER = ("dns.message", "dns.name", "dns.rdata", "dns.rdataset", "dns.zone")


class _StandIn(type):
    """The class of what stands in for a class or a function."""

    def __new__(mcs, name: str, bases: tuple[type, ...], names: dict[str, Any]) -> "_StandIn":
        if bases:
            raise TypeError(f"{name} needs the real {bases[0].__name__}")
        return super().__new__(mcs, name, bases, names)

    def __call__(cls, *args: Any, **options: Any) -> Any:
        return _real(cls)(*args, **options)

    def __getattr__(cls, attribute: str) -> Any:
        if attribute.startswith("__"):  # asked for while modules and classes are made
            raise AttributeError(attribute)
        return getattr(_real(cls), attribute)

    def __instancecheck__(cls, instance: object) -> bool:
        # Of a class that nobody has imported, there is no instance.
        return _LIBRARY in sys.modules and isinstance(instance, _real(cls))


class _StandInModule(ModuleType):
    """Stand in for PyAV, or a module of it: with stand-ins for what is in it, or the real things."""

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if isinstance(sys.modules.get(_LIBRARY), _StandInModule):
            stand_in = _StandIn(attribute, (), {"__module__": self.__name__})
            setattr(self, attribute, stand_in)
            return stand_in
        return getattr(_real(self), attribute)


class _LazyFinder:
    """Find modules that are not read before something in them is used."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path) if name in _READ_LATER else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


class _StandInFinder:
    """Find stand-ins for PyAV and its modules."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> ModuleSpec | None:
        is_wanted = name == _LIBRARY or name.startswith(f"{_LIBRARY}.")
        return ModuleSpec(name, self, is_package=True) if is_wanted else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _StandInModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing in it yet."""


@contextmanager
def _put_off() -> Iterator[None]:
    finders: list[Any] = [_StandInFinder(), _LazyFinder()]
    sys.meta_path[:0] = finders
    try:
        yield
    finally:
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder not in finders]
        for name in [name for name, module in sys.modules.items() if type(module) is _StandInModule]:
            del sys.modules[name]


def import_aiortc() -> None:
    """Import aiortc alone; if that is not to be done, leave it to whoever imports aiortc next."""
    if _LIBRARY in sys.modules or "aiortc" in sys.modules:
        return
    with _put_off():
        try:
            import_module("aiortc")
        except Exception:  # another version of aiortc, which does more with PyAV than to import it
            for name in [name for name in sys.modules if name.partition(".")[0] == "aiortc"]:
                del sys.modules[name]


def import_dnspython() -> None:
    """Read what of dnspython was put off."""
    for name in _READ_LATER:
        if name in sys.modules:
            vars(sys.modules[name])  # is a use


def import_for_first_call() -> None:
    """Import what the first certificate and the first request import: in real time, that makes them late."""
    from aiortc import RTCCertificate

    RTCCertificate.generateCertificate().getFingerprints()
    for name in _OF_FIRST_REQUEST:
        with suppress(ModuleNotFoundError):  # not every version of httpcore wants all of them
            import_module(name)


@cache  # from then on there is nothing to be replaced
def import_av() -> None:
    """Import PyAV, and put it where stand-ins are.

    Raises
    ------
    ImportError
        If it is just being put off.
    """
    if type(import_module(_LIBRARY)) is _StandInModule:
        raise ImportError(f"{_LIBRARY} is needed at once")
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in _USERS:
            for key, value in list(vars(module).items()):
                if type(value) in (_StandIn, _StandInModule):
                    setattr(module, key, _real_thing(value))


def _real(stand_in: Any) -> Any:
    import_av()
    return _real_thing(stand_in)


def _real_thing(stand_in: Any) -> Any:
    if isinstance(stand_in, _StandInModule):
        return import_module(stand_in.__name__)
    return getattr(import_module(stand_in.__module__), type.__getattribute__(stand_in, "__name__"))


if TYPE_CHECKING:
    import av
else:
    av = sys.modules.get(_LIBRARY) or _StandInModule(_LIBRARY)
