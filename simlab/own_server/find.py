"""From ``MODULE:NAME`` to an application or a client, as new as in a process that has just begun."""

import inspect
import os
import sys
from collections.abc import Callable, Iterator
from importlib import import_module, invalidate_caches
from pathlib import Path
from types import ModuleType
from typing import Any

from aiohttp import web

from simlab.own_server.in_loop import import_in_loop
from simlab.own_server.logs import logs
from simlab.own_server.pipecat_bot import application_of, is_bot, missing
from simlab.own_server.place import place, told_of_import
from simlab.own_server.signals import signals_kept
from simlab.webrtc.named import IN_MAIN, MAIN, as_its_file_is

BUILT_IN = ("builtin", "pipecat", "chromium")
CLIENT_OPTIONS = ("ice_servers",)
"""What a client is called with, beside the URL, if it has parameters of these names."""
_WANTED_CLIENT = "want an async function that takes the URL for offers"
_NO_LOOP = 'What starts an event loop (asyncio.run, uvicorn.run) belongs below if __name__ == "__main__":'
_PIPECAT = 'pip install "simlab[pipecat]"'
_WANTED = "want an ASGI or aiohttp application"
Application = Callable[..., Any] | web.Application


class NotThereError(ValueError):
    """``MODULE:NAME`` names nothing of the kind that is wanted; the message says why."""


def is_own(name: str) -> bool:
    """Tell whether a server or a client is a user's own."""
    return name not in BUILT_IN


def why_not(name: str) -> str | None:
    """Return why ``MODULE:NAME`` cannot be a server, or None if it can. The module is imported."""
    try:
        with as_its_file_is(name.partition(":")[0]):
            _application_named(name)
    except NotThereError as error:
        return str(error)
    return None


def takes_asgi(name: str) -> bool:
    """Tell whether ``MODULE:NAME`` is an ASGI application itself; a function may make any kind."""
    found = _application_named(name)
    return not isinstance(found, web.Application) and _takes_asgi(found)


def imported(name: str) -> None:
    """Import the module of ``MODULE:NAME``, and with it whatever it needs."""
    _imported(_module_of(name))
    note_changes(name)


def note_changes(name: str) -> None:
    """Remember what the module of ``MODULE:NAME`` has changed by importing Pipecat, and put it back."""
    from simlab.own_server import pipecat_changes

    module = sys.modules.get(_module_of(name))
    if module is not None:
        pipecat_changes.note(name, pipecat_changes.reached(module, set(_of_one_folder(module))))


def fresh(name: str) -> Application:
    """Return the application, from a module that is run anew: nothing in it is left of an earlier session.

    The modules beside it in its folder are run anew, too; what they import from elsewhere is not.

    Raises
    ------
    ValueError
        If there is none; the message says why.
    """
    _run_anew(name)
    return _application(_application_named(name))


def fresh_client(name: str) -> Callable[..., Any]:
    """Return the function that is a client, from a module that is run anew: see ``fresh``.

    Raises
    ------
    ValueError
        If there is none; the message says why.
    """
    _run_anew(name)
    return _client_named(name)


def why_no_client(name: str) -> str | None:
    """Return why ``MODULE:NAME`` cannot be a client, or None if it can. The module is imported."""
    try:
        with as_its_file_is(name.partition(":")[0]):
            _client_named(name)
    except NotThereError as error:
        return str(error)
    return None


def _client_named(name: str) -> Callable[..., Any]:
    found = _named(name)
    if not inspect.iscoroutinefunction(found):
        raise NotThereError(_WANTED_CLIENT)
    signature = inspect.signature(found)
    try:
        signature.bind("url", **{name: [] for name in CLIENT_OPTIONS if name in signature.parameters})
    except TypeError:
        raise NotThereError(_WANTED_CLIENT) from None
    client: Callable[..., Any] = found
    return client


def _run_anew(name: str) -> None:
    for module in list(_of_one_folder(import_module(_module_of(name)))):
        _forget(module)
    _empty_caches()
    _count_anew()


def _forget(name: str) -> None:
    forgotten = sys.modules.pop(name)
    package, _, attribute = name.rpartition(".")
    # ``from . import name`` looks here first, and would find the old one.
    if getattr(sys.modules.get(package), attribute, None) is forgotten:
        delattr(sys.modules[package], attribute)


def _empty_caches() -> None:
    """Let FastAPI, if it is there, forget functions of earlier sessions: with each it keeps its module."""
    for value in list(vars(sys.modules.get("fastapi.dependencies.models") or object).values()):
        if hasattr(value, "cache_clear"):
            value.cache_clear()


def _module_of(name: str) -> str:
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    invalidate_caches()
    return name.partition(":")[0]


def _named(name: str) -> Any:
    module_name, attribute = _module_of(name), name.partition(":")[2]
    if module_name == MAIN:
        raise NotThereError(IN_MAIN)
    module = _imported(module_name)
    if not hasattr(module, attribute):
        raise NotThereError(f"there is no {attribute} in {module_name}")
    return getattr(module, attribute)


def _imported(name: str) -> ModuleType:
    """Import a module; what is wrong in it is its own bug, and is told with its traceback."""
    import_module("simlab.own_server.pipecat_changes")  # before Pipecat
    try:
        with signals_kept(), logs.kept():
            return import_module(name) if name in sys.modules else import_in_loop(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise NotThereError(_no_module(name, error.name)) from None
        # What the module itself imports is missing.
        raise NotThereError(f"which cannot be imported:\n{told_of_import(error)}") from error
    except SystemExit as error:
        raise NotThereError(f"which ends the process when it is imported: {place(error)}") from error
    except Exception as error:  # whatever it is, it is the module's
        raise NotThereError(f"which cannot be imported:\n{told_of_import(error)}{_hint(error)}") from error


def _hint(error: Exception) -> str:
    """Say what is meant where a module starts an event loop of its own, as ``uvicorn.run`` does."""
    is_meant = isinstance(error, RuntimeError) and "loop" in str(error) and "running" in str(error)
    return f"\n{_NO_LOOP}" if is_meant else ""


def _no_module(name: str, missing: str) -> str:
    hint = f", without the .py: {name.removesuffix('.py')}" if name.endswith(".py") else ""
    return f"there is no module {missing}{', want its name' if hint else ''}{hint}"


def _application_named(name: str) -> Any:
    found = _named(name)
    if isinstance(found, web.Application) or (callable(found) and _takes_asgi(found)):
        return found
    if not callable(found):
        raise NotThereError(f"{_WANTED}, or a function that makes one")
    if is_bot(found):
        if lacking := missing():
            raise NotThereError(f"which is a bot of Pipecat's, without {', '.join(lacking)}: {_PIPECAT}")
        return found
    if inspect.iscoroutinefunction(found):
        raise NotThereError(f"which is an async function, {_WANTED}, or a function that makes one, not async")
    if not _takes(found):
        raise NotThereError(
            f"which takes arguments, {_WANTED}, or a function without arguments that makes one"
        )
    return found


def _count_anew() -> None:
    """Let Pipecat, if it is there, number its objects from 0 on: their names are in its answers."""
    utils = sys.modules.get("pipecat.utils.utils")
    if utils is not None:
        utils._COUNTS.clear()


def _of_one_folder(module: Any) -> Iterator[str]:
    """Yield the names of a module and of those beside it; of all that are in it, if it is a package."""
    folder = Path(module.__file__).parent
    for name, other in list(sys.modules.items()):
        file = getattr(other, "__file__", None)
        is_beside = file and Path(file).parent == folder and Path(file).name != "__init__.py"
        if is_beside or f"{name}.".startswith(f"{module.__name__}."):
            yield name


def _application(found: Any) -> Application:
    """Call a function that makes an application; return one as it is, and make one for a bot of Pipecat's.

    Raises
    ------
    ValueError
        If what it makes is no application.
    """
    if isinstance(found, web.Application) or _takes_asgi(found):
        application: Application = found
        return application
    made = application_of(found) if is_bot(found) else found()
    if not (isinstance(made, web.Application) or callable(made)):
        raise NotThereError(f"it makes {type(made).__name__}, {_WANTED}")
    made_application: Application = made
    return made_application


def _takes_asgi(found: Any) -> bool:
    """Tell whether something can be called with scope, receive and send."""
    return not inspect.isclass(found) and _takes(found, None, None, None)


def _takes(found: Any, *arguments: object) -> bool:
    """Tell whether something can be called with these; what does not say, as some of C do not, might be."""
    try:
        inspect.signature(found).bind(*arguments)
    except TypeError:
        return False
    except ValueError:
        return True
    return True
