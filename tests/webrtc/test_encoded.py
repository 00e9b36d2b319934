"""Pictures that are taken in undecoded, with a real decoder thread waiting."""

import asyncio

from aiortc import RTCPeerConnection
from aiortc.rtcrtpparameters import RTCRtpReceiveParameters
from aiortc.rtcrtpreceiver import RemoteStreamTrack

from simlab.webrtc.encoded import leave_undecoded


def test_a_receiver_ends_that_was_told_again_by_another_offer():
    async def main():
        receiver = RTCPeerConnection().addTransceiver("video").receiver
        receiver._track = RemoteStreamTrack(kind="video")
        leave_undecoded(receiver)
        await receiver.receive(RTCRtpReceiveParameters())
        leave_undecoded(receiver)
        receiver._handle_disconnect()  # joins the thread, for ever if that does not hear of it
        receiver._RTCRtpReceiver__rtcp_task.cancel()
        return await receiver._track._queue.get()

    assert asyncio.run(main()) is None
