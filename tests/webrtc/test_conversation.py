import asyncio

import pytest

from simlab.profile.behaviour import ClientBehaviour
from simlab.webrtc.request_params import RequestParams
from simlab.webrtc.transport import SmallWebRTCTransport


class Channel:
    """As much of a data channel as pings need; a real one can't be closed late."""

    def __init__(self):
        self.readyState = "open"
        self.sent = []

    def send(self, text):
        self.sent.append(text)


class Peer:
    max_message_bytes = 100

    def __init__(self, number):
        self.number, self.channel = number, Channel()


@pytest.mark.parametrize(("shared", "pings_after"), [(True, 0), (False, 3)])
def test_c13_the_late_end_of_an_old_channel_stops_the_pings_of_the_new_one(run, shared, pings_after):
    async def play():
        transport = SmallWebRTCTransport(
            webrtc_request_params=RequestParams("http://10.0.0.2/"),
            behaviour=ClientBehaviour(share_keep_alive=shared),
        )
        old, new = Peer(1), Peer(2)
        transport.channel_opened(old)
        await asyncio.sleep(1.5)
        transport.channel_opened(new)
        transport.channel_closed(old)
        await asyncio.sleep(3.5)
        await transport.release()
        return len(old.channel.sent), len(new.channel.sent)

    # Without the switch the old channel's pings end with it; with it, they go on, as its interval is lost.
    assert run(play())[1] == pings_after
