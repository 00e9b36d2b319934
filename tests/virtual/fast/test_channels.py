"""pyee's emitters do the same with the faster pieces and without."""

import asyncio

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyee.asyncio import AsyncIOEventEmitter

from simlab.virtual.fast import channels
from tests.virtual.fast.sctp_pair import in_virtual_time

pytestmark = pytest.mark.skipif(
    not channels.PIECE.fits, reason=f"written for other versions of {', '.join(channels.PIECE.strangers)}"
)

FAILING = ("fail", "exit", "failing coroutine")
# A listener of "error" that fails, or of "new_listener" that adds one, would go on for ever.
HARMLESS = ("note", "remove itself", "coroutine")
LISTENERS = {
    "message": (*HARMLESS, *FAILING, "number", "future", "emit", "add", "remove all"),
    "other": (*HARMLESS, "fail", "failing future"),
    "error": HARMLESS,
    "new_listener": HARMLESS,
}


class Emitter:
    """An emitter whose listeners do what their kind says, and all that could be seen of it."""

    def __init__(self):
        self.own = AsyncIOEventEmitter()
        self.listeners = []
        self.seen = []

    def step(self, do, event, kind):
        try:
            self.seen.append(self._did(do, event, kind))
        except BaseException as error:
            self.seen.append(self._told(error))
        self.seen.append((sorted(self.own.event_names()), len(self.own.listeners(event)), self.own.complete))

    def _did(self, do, event, kind):
        if do in ("on", "once"):
            return getattr(self.own, do)(event, self._listener(event, kind)) is self.listeners[-1]
        if do == "remove":
            return self.own.remove_listener(event, self.listeners[0] if self.listeners else None)
        if do == "remove all":
            return self.own.remove_all_listeners(event)
        if do == "remove everything":
            return self.own.remove_all_listeners()
        arguments = {"emit": (1,), "emit an error": (ValueError("given"),), "emit nothing": ()}[do]
        return self.own.emit(event, *arguments, **({"by": "name"} if do == "emit" else {}))

    def _told(self, about):
        if isinstance(about, BaseException):
            return type(about), *map(self._told, about.args)
        return self.listeners.index(about) if about in self.listeners else repr(about)

    def _listener(self, event, kind):
        number = len(self.listeners)

        def listener(*args, **kwargs):
            self.seen.append((number, kind, *map(self._told, args), kwargs))
            return self._done(event, kind, listener)

        self.listeners.append(listener)
        return listener

    def _done(self, event, kind, listener):
        if kind in ("fail", "exit"):
            raise ValueError(kind) if kind == "fail" else SystemExit(kind)
        if kind == "remove itself":
            self.own.remove_listener(event, listener)
        if kind == "remove all":
            self.own.remove_all_listeners(event)
        if kind == "add":
            self.own.on(event, self._listener(event, "note"))
        if kind == "emit":
            self.own.emit("other", "from within")
        if kind in ("failing future", "future"):
            return self._future(ValueError(kind) if kind == "failing future" else None)
        if kind in ("failing coroutine", "coroutine"):
            return self._coroutine(kind)
        return 7 if kind == "number" else None

    def _future(self, error):
        future = asyncio.get_running_loop().create_future()
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
        return future

    async def _coroutine(self, kind):
        self.seen.append(f"{kind} began")
        await asyncio.sleep(0)
        self.seen.append(f"{kind} went on")
        if kind == "failing coroutine":
            raise ValueError(kind)


def seen(steps, pieces):
    """Return all that could be seen of an emitter that did these steps, then waited."""

    async def act(loop):
        emitter = Emitter()
        loop.set_exception_handler(lambda _, context: emitter.seen.append(repr(context.get("exception"))))
        for step in steps:
            if step == "turn":
                await asyncio.sleep(0)
            else:
                emitter.step(*step)
        await asyncio.sleep(1)
        return emitter.seen

    return in_virtual_time(act, pieces)


def steps_about(event):
    listen = st.tuples(st.sampled_from(["on", "once"]), st.just(event), st.sampled_from(LISTENERS[event]))
    do = st.sampled_from(
        ["emit", "emit", "emit", "emit an error", "emit nothing", "remove", "remove all", "remove everything"]
    )
    return st.one_of(listen, st.tuples(do, st.just(event), st.none()))


@given(st.lists(st.one_of(st.just("turn"), *map(steps_about, LISTENERS)), max_size=20))
@example([("on", "message", kind) for kind in LISTENERS["message"]] + 2 * [("emit", "message", None)])
@example([("on", "error", "note"), ("once", "message", "failing coroutine"), ("emit", "message", None)])
@example([("on", "message", "note"), ("remove all", "message", None), ("emit", "message", None)])
@example([("on", "message", "fail"), ("on", "message", "note"), ("emit", "message", None)])
@example([("on", "message", "exit"), ("on", "error", "note"), ("emit", "message", None)])
@settings(max_examples=300)
def test_an_emitter_does_the_same_whatever_its_listeners_do(steps):
    assert seen(steps, [channels.PIECE]) == seen(steps, ())
