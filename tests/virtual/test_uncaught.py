"""What nobody catches is logged with the session in which it was raised, so that one can run it again."""

import asyncio
import gc

from simlab.virtual.addresses import CLIENT
from simlab.virtual.code import run_code
from simlab.virtual.session import run
from tests.virtual.sessions import scenario

CLEAN = 'name = "clean"\nduration = "3s"\n[peers]\nmedia = []\n'
SESSION = "clean, policy pipecat, seed 7, virtual clock, 3s"


def test_the_fault_of_a_callback(caplog):
    async def code(place):
        asyncio.get_running_loop().call_later(1.5, divmod, 1, 0)
        await asyncio.sleep(2)

    run_code(scenario(CLEAN, seed="7"), code)
    (record,) = caplog.records
    assert record.message.startswith(f"{SESSION}, at 1.500 s: Exception in callback")
    assert record.exc_info[0] is ZeroDivisionError


def test_the_fault_of_a_task(caplog):
    async def fails():
        raise ValueError("no such bot")

    async def code(place):
        task = asyncio.create_task(fails())
        await asyncio.sleep(1)
        del task
        gc.collect()

    run_code(scenario(CLEAN, seed="7"), code)
    (record,) = caplog.records
    assert record.message.startswith(f"{SESSION}, at 1.000 s: Task exception was never retrieved")


def test_the_fault_of_what_takes_datagrams(caplog):
    class Fails(asyncio.DatagramProtocol):
        def datagram_received(self, data, addr):
            raise ValueError(data)

    async def code(place):
        loop, host = asyncio.get_running_loop(), place.client_address
        transport, _ = await loop.create_datagram_endpoint(Fails, local_addr=(host, 0))
        transport.sendto(b"hello", transport.get_extra_info("sockname"))
        await asyncio.sleep(1)
        transport.close()

    run_code(scenario(CLEAN, seed="7"), code)
    (record,) = caplog.records
    assert f": Exception in datagram_received at {CLIENT}, from {CLIENT}" in record.message


def test_the_fault_of_a_handler_of_a_data_channel(caplog):
    """aiortc ends the connection for it, and says why in a log that nobody hears by default."""
    run(scenario(f'{CLEAN}server = "tests.apps.faulty_bot:deaf"\n', seed="7"))
    told = [record for record in caplog.records if record.name == "asyncio"]
    assert [record.message.partition("\n")[0] for record in told] == [
        f"{SESSION}, at 0.027 s: a handler of the data channel raised"
    ]
    assert str(told[0].exc_info[1]) == "no ears"


def test_the_fault_of_a_track(caplog):
    text = CLEAN.replace("[]", '["audio"]') + 'server = "tests.apps.faulty_bot:mute"\n'
    run(scenario(text, seed="7"))
    told = [record for record in caplog.records if record.name == "asyncio"]
    assert [(str(record.exc_info[1])) for record in told] == ["no voice", "no face"]
    assert "the audio track that is sent raised" in told[0].message
    assert "the video track that is sent raised" in told[1].message
