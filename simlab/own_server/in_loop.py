"""Import a module as a server does, while an event loop runs."""

import asyncio
from importlib import import_module
from types import ModuleType


def import_in_loop(name: str) -> ModuleType:
    """Import a module while an event loop runs, as in a session: one that starts another fails at once.

    Outside of a loop ``uvicorn.run`` in it would serve for ever, and ``asyncio.run`` fail in the session.
    """
    return import_module(name) if _is_in_loop() else _in_new_loop(name)


def _is_in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _in_new_loop(name: str) -> ModuleType:
    # Not asyncio.run: there a first Ctrl-C would wait for the end of the import.
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_import(name))
    finally:
        loop.close()


async def _import(name: str) -> ModuleType:
    try:
        return import_module(name)
    finally:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
