"""One side of the connections that ``tcp_kernel`` measures: ``python -m benchmarks.tcp_peer``."""

import asyncio
import json
import sys
import time
from contextlib import suppress
from functools import partial

from benchmarks.tcp_kernel import FIRST_PORT, SERVER


async def _serve(cases: list[tuple[int, int]]) -> None:
    async def answer(
        request_bytes: int,
        response_bytes: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        await reader.readexactly(request_bytes)
        writer.write(bytes(response_bytes))
        await reader.read()  # until the client has it all
        writer.close()

    for number, case in enumerate(cases):
        await asyncio.start_server(partial(answer, *case), SERVER, FIRST_PORT + number)
    print("listening", flush=True)
    await asyncio.Event().wait()


async def _ask(number: int, case: tuple[int, int], limit_s: float) -> list[float]:
    began_s, times_s = time.monotonic(), []
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            reader, writer = await asyncio.open_connection(SERVER, FIRST_PORT + number)
            times_s.append(time.monotonic() - began_s)
            writer.write(bytes(case[0]))
            await reader.readexactly(case[1])
            times_s.append(time.monotonic() - began_s)
            writer.close()
    return [*times_s, limit_s, limit_s][:2]


async def _ask_all(cases: list[tuple[int, int]], limit_s: float) -> None:
    tasks = []
    for number, case in enumerate(cases):
        tasks.append(asyncio.create_task(_ask(number, case, limit_s)))
        await asyncio.sleep(0.015)  # or their packets would queue in the relay
    print(json.dumps(await asyncio.gather(*tasks)))


if __name__ == "__main__":
    cases = [tuple(case) for case in json.loads(sys.argv[2])]
    if sys.argv[1] == "server":
        asyncio.run(_serve(cases))
    else:
        asyncio.run(_ask_all(cases, float(sys.argv[3])))
