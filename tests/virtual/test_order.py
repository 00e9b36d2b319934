import asyncio
from contextlib import closing

import aioice.ice
from aiortc import RTCRtpReceiver

from simlab.virtual.loop import VirtualLoop
from simlab.virtual.order import candidates_in_order, numbered_members


class Stopped:
    """What a receiver asks of its transport."""

    state = "new"


def test_a_set_of_receivers_is_gone_through_in_the_order_of_its_making():
    with numbered_members():
        receivers = [RTCRtpReceiver("audio", Stopped()) for _ in range(30)]
        # 30 of them in this order by chance: 1 in 30!
        assert list(set(receivers)) == receivers


def test_afterwards_objects_have_their_own_hash_again():
    with numbered_members():
        pass
    assert RTCRtpReceiver.__hash__ is object.__hash__


def test_aioice_has_candidates_in_the_order_in_which_it_asked_for_them():
    async def gathered():
        tasks = [asyncio.create_task(asyncio.sleep(0, number)) for number in range(30)]
        never = asyncio.create_task(asyncio.sleep(100, -1))
        done, pending = await aioice.ice.asyncio.wait([never, *tasks], timeout=0.5)
        never.cancel()
        return [task.result() for task in done], list(pending) == [never]

    with candidates_in_order(), closing(VirtualLoop()) as loop:
        # 30 of them in this order by chance: 1 in 30!
        assert loop.run_until_complete(gathered()) == (list(range(30)), True)
    assert aioice.ice.asyncio is asyncio
