"""Two SCTP associations of aiortc, and in between a network that does as it is told."""

import asyncio
from contextlib import ExitStack

from aiortc import RTCDataChannel, RTCDataChannelParameters, rtcsctptransport
from aiortc.rtcsctptransport import DataChunk, RTCSctpCapabilities, RTCSctpTransport, SackChunk

from simlab.virtual.entropy import seeded_entropy
from simlab.virtual.fast.piece import in_place
from simlab.virtual.loop import VirtualLoop
from simlab.virtual.replace import replaced

PORT = 5000
STATE = (
    "_advertised_rwnd",
    "_last_received_tsn",
    "_sack_duplicates",
    "_sack_misordered",
    "_sack_needed",
    "_cwnd",
    "_flight_size",
    "_local_tsn",
    "_last_sacked_tsn",
    "_advanced_peer_ack_tsn",
    "_forward_tsn_streams",
    "_outbound_stream_seq",
    "_partial_bytes_acked",
    "_fast_recovery_exit",
    "_fast_recovery_transmit",
    "_reconfig_queue",
    "_rto",
    "_srtt",
    "_rttvar",
)


class Dtls:
    """Stand in for the DTLS transport: what is sent waits to be delivered."""

    state = "connected"

    def __init__(self, role):
        self._role = role
        self.outbox = []

    def _register_data_receiver(self, receiver):
        pass

    async def _send_data(self, data):
        self.outbox.append(data)


class Clock:
    def __init__(self, loop):
        self.time = loop.time


class Pair:
    """Associate two ends, then do what the steps say, and keep what could be seen after each."""

    def __init__(self, loop):
        self.loop = loop
        self.ends = [RTCSctpTransport(Dtls(role), PORT) for role in ("client", "server")]
        self.channels = []
        self.seen = []
        self.ends[1].on("datachannel", lambda channel: self._listen(channel))

    def _listen(self, channel):
        channel.on("message", lambda message: self.seen.append((channel.id, message)))
        self.channels.append(channel)

    async def begin(self, settings):
        for end in self.ends:
            await end.start(RTCSctpCapabilities(65536), PORT)
        for number, options in enumerate(settings):
            self._listen(RTCDataChannel(self.ends[0], RTCDataChannelParameters(label=str(number), **options)))
        for _ in range(8):
            await asyncio.sleep(0.01)
            await self.deliver_all()

    async def deliver_all(self):
        for sender in (0, 1):
            for packet in self._taken(sender):
                await self._deliver(sender, packet)

    def _taken(self, sender):
        outbox = self.ends[sender].transport.outbox
        packets, outbox[:] = outbox[:], []
        return packets

    async def _deliver(self, sender, packet):
        self.seen.append(packet)
        await self.ends[1 - sender]._handle_data(packet)
        await asyncio.sleep(0)

    async def step(self, kind, amount):
        end, number = amount % 2, amount // 2
        outbox = self.ends[end].transport.outbox
        if kind in {"send", "close"}:
            channels = [c for c in self.channels if c.transport is self.ends[end] and c.readyState == "open"]
            if channels:
                channel = channels[number % len(channels)]
                channel.send("x" * number) if kind == "send" else channel.close()
        elif kind == "wait":
            await asyncio.sleep(amount / 100)
        elif kind == "deliver all":
            await self.deliver_all()
        elif outbox:
            at = number % len(outbox)
            packet = outbox[at] if kind == "duplicate" else outbox.pop(at)
            if kind == "damage":
                packet = packet[: at + 9] + bytes([packet[at + 9] ^ 0x40]) + packet[at + 10 :]
            if kind != "drop":
                await self._deliver(end, packet)
        await asyncio.sleep(0)
        self.seen.append([_state_of(end) for end in self.ends])


def _state_of(end):
    chunks = [
        (chunk.tsn, vars(chunk).copy()) for queue in (end._sent_queue, end._outbound_queue) for chunk in queue
    ]
    streams = {
        number: (stream.sequence_number, [vars(chunk).copy() for chunk in stream.reassembly])
        for number, stream in end._inbound_streams.items()
    }
    timer = None if end._t3_handle is None else end._t3_handle.when()
    buffered = [channel.bufferedAmount for channel in end._data_channels.values()]
    return [str(getattr(end, name)) for name in STATE], chunks, streams, timer, buffered, end.state


def seen(settings, steps, pieces):
    """Return all that could be seen of two ends that did these steps."""

    async def act(loop):
        pair = Pair(loop)
        await pair.begin(settings)
        for step in steps:
            await pair.step(*step)
        return pair.seen

    return in_virtual_time(act, pieces)


def after_acknowledgement(in_flight, acked, ssthresh, pieces):
    """Return the state of an end whose full window was acknowledged, part of it for the second time.

    ``in_flight`` are the sizes of the chunks; ``acked`` says which of them a gap report has acknowledged.
    """

    async def act(loop):
        end = RTCSctpTransport(Dtls("client"), PORT)
        end._last_sacked_tsn = end._advanced_peer_ack_tsn = 99
        end._cwnd, end._ssthresh = 2400, ssthresh
        for tsn, (size, is_acked) in enumerate(zip(in_flight, acked, strict=True), 100):
            chunk = DataChunk(flags=3)
            chunk.tsn, chunk._book_size, chunk._sent_count, chunk._sent_time = tsn, size, 1, loop.time()
            chunk._acked, chunk._in_flight = is_acked, not is_acked
            chunk._abandoned = chunk._retransmit = False
            chunk._misses, chunk._max_retransmits, chunk._expiry = 0, None, None
            end._sent_queue.append(chunk)
        end._flight_size = 2400
        await asyncio.sleep(0.05)
        sack = SackChunk()
        sack.cumulative_tsn = 99 + len(in_flight)
        await end._receive_sack_chunk(sack)
        return _state_of(end)

    return in_virtual_time(act, pieces)


def in_virtual_time(act, pieces):
    """Return what a coroutine function that is given the loop returns in virtual time."""
    with ExitStack() as stack:
        loop = VirtualLoop()
        stack.callback(loop.close)
        stack.enter_context(replaced(rtcsctptransport, "time", Clock(loop)))
        stack.enter_context(seeded_entropy(1))
        stack.enter_context(in_place(pieces))
        asyncio.set_event_loop(loop)
        stack.callback(asyncio.set_event_loop, None)

        result = loop.run_until_complete(act(loop))
        tasks = asyncio.all_tasks(loop)
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        return result
