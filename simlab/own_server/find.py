"""From ``MODULE:NAME`` to an application or a client, as new as in a process that has just begun."""

import inspect
import os
import sys
from collections.abc import Callable, Iterator
from importlib import import_module, invalidate_caches
from pathlib import Path
from typing import Any

from aiohttp import web

BUILT_IN = ("builtin", "pipecat", "chromium")
_WANTED_CLIENT = "want an async function that takes the URL for offers"
_WANTED = "want an ASGI or aiohttp application"
Application = Callable[..., Any] | web.Application


def is_own(name: str) -> bool:
    """Tell whether a server or a client is a user's own."""
    return name not in BUILT_IN


def why_not(name: str) -> str | None:
    """Return why ``MODULE:NAME`` cannot be a server, or None if it can. The module is imported."""
    try:
        _application_named(name)
    except ValueError as error:
        return str(error)
    return None


def takes_asgi(name: str) -> bool:
    """Tell whether ``MODULE:NAME`` is an ASGI application itself; a function may make any kind."""
    found = _application_named(name)
    return not isinstance(found, web.Application) and _takes_asgi(found)


def imported(name: str) -> None:
    """Import the module of ``MODULE:NAME``, and with it whatever it needs."""
    import_module(_module_of(name))


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
        _client_named(name)
    except ValueError as error:
        return str(error)
    return None


def _client_named(name: str) -> Callable[..., Any]:
    found = _named(name)
    if not inspect.iscoroutinefunction(found):
        raise ValueError(_WANTED_CLIENT)
    try:
        inspect.signature(found).bind("url")
    except TypeError:
        raise ValueError(_WANTED_CLIENT) from None
    client: Callable[..., Any] = found
    return client


def _run_anew(name: str) -> None:
    for module in list(_beside(import_module(_module_of(name)))):
        del sys.modules[module]
    _count_anew()


def _module_of(name: str) -> str:
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    invalidate_caches()
    return name.partition(":")[0]


def _named(name: str) -> Any:
    module_name, attribute = _module_of(name), name.partition(":")[2]
    try:
        found = getattr(import_module(module_name), attribute)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise  # what the module itself imports is missing
        raise ValueError(f"there is no module {error.name}") from None
    except AttributeError:
        raise ValueError(f"there is no {attribute} in {module_name}") from None
    return found


def _application_named(name: str) -> Any:
    found = _named(name)
    if not (isinstance(found, web.Application) or callable(found)):
        raise ValueError(f"{_WANTED}, or a function that makes one")  # noqa: TRY004 - a user's mistake
    return found


def _count_anew() -> None:
    """Let Pipecat, if it is there, number its objects from 0 on: their names are in its answers."""
    utils = sys.modules.get("pipecat.utils.utils")
    if utils is not None:
        utils._COUNTS.clear()


def _beside(module: Any) -> Iterator[str]:
    folder = Path(module.__file__).parent
    for name, other in list(sys.modules.items()):
        file = getattr(other, "__file__", None)
        if file and Path(file).parent == folder and Path(file).name != "__init__.py":
            yield name


def _application(found: Any) -> Application:
    """Call a function that makes an application; return an application as it is.

    Raises
    ------
    ValueError
        If what it makes is no application.
    """
    if isinstance(found, web.Application) or _takes_asgi(found):
        application: Application = found
        return application
    made = found()
    if not (isinstance(made, web.Application) or callable(made)):
        raise ValueError(f"it makes {type(made).__name__}, {_WANTED}")  # noqa: TRY004 - a user's mistake
    made_application: Application = made
    return made_application


def _takes_asgi(found: Any) -> bool:
    """Tell whether something can be called with scope, receive and send."""
    if inspect.isclass(found):
        return False
    try:
        inspect.signature(found).bind(None, None, None)
    except TypeError:
        return False
    return True
