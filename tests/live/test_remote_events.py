"""Events for whoever watches: it is known whether anybody does."""

import asyncio

from simlab.live.remote.events import Events


def test_the_first_who_comes_and_the_last_who_goes_are_told():
    async def watch_twice():
        told = []
        events = Events(told.append)
        first, second = events.watch(), events.watch()
        began = [asyncio.create_task(anext(one)) for one in (first, second)]
        await asyncio.sleep(0)
        assert told == [True]
        events.tell("one")
        assert [(await task)["kind"] for task in began] == ["one", "one"]
        await first.aclose()
        assert told == [True]
        await second.aclose()
        assert told == [True, False]

    asyncio.run(watch_twice())
