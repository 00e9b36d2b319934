"""The bot that a Pipecat server runs for a client: a pipeline on Pipecat's own transport."""

import asyncio
from typing import Any

import numpy as np
from pipecat.frames.frames import Frame, InputAudioRawFrame, OutputAudioRawFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport
from pipecat.workers.runner import WorkerRunner

from simlab.core.timeline import Recorder
from simlab.webrtc import probes
from simlab.webrtc.clips import AMPLITUDE, AUDIBLE_LEVEL, TONE_HZ
from simlab.webrtc.ears import Ears

VOICE_RATE_HZ = 24000
_SPEECH_S = 0.2
_LEAD_S = 0.2  # spoken ahead, so that a busy machine does not tear the tone
_CLOSE_S = 2.0


def tone() -> bytes:
    """Return 200 ms of a tone, 16 bit mono at 24 kHz, that can be played in a loop."""
    at = np.arange(round(VOICE_RATE_HZ * _SPEECH_S))
    samples = np.rint(AMPLITUDE * np.sin(2 * np.pi * TONE_HZ * at / VOICE_RATE_HZ))
    return bytes(samples.astype(np.int16))


class Listener(FrameProcessor):
    """Count the audible frames of 20 ms that come from the client."""

    def __init__(self, ears: Ears) -> None:
        super().__init__()
        self._ears = ears

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Take in a frame."""
        await super().process_frame(frame, direction)
        if isinstance(frame, InputAudioRawFrame):
            samples = np.frombuffer(frame.audio, dtype=np.int16)
            if int(samples.max(initial=0)) > AUDIBLE_LEVEL:
                self._ears.media.arrived()
        await self.push_frame(frame, direction)


class Bot:
    """Serve one connection until it is closed: as the built-in server's bot, but on Pipecat's pipeline."""

    def __init__(self, connection: SmallWebRTCConnection, record: Recorder, ears: Ears) -> None:
        self._connection = connection
        self._record = record
        self._ears = ears
        self._talking: probes.Metronome | None = None
        self._sending: set[asyncio.Task[None]] = set()
        params = TransportParams(
            audio_in_enabled=ears.has_media,
            audio_out_enabled=ears.has_media,
            audio_out_sample_rate=VOICE_RATE_HZ,
        )
        transport = SmallWebRTCTransport(webrtc_connection=connection, params=params)
        pipeline = Pipeline([transport.input(), Listener(ears), transport.output()])
        self._worker = PipelineWorker(pipeline, idle_timeout_secs=None, check_dangling_tasks=False)
        self._runner = WorkerRunner(handle_sigint=False, check_dangling_tasks=False)
        self._listen_to(transport)
        record("server", "bot_started", pc_id=connection.pc_id)
        self._tasks = [asyncio.create_task(self._run())]
        if ears.has_media:
            self._tasks.append(asyncio.create_task(self._speak()))

    def _listen_to(self, transport: SmallWebRTCTransport) -> None:
        async def closed(_: object, __: object) -> None:
            await self._worker.cancel()

        async def ready(_: object) -> None:
            self._client_ready()

        async def message(_: object, message: Any) -> None:
            if message.type == probes.PROBE_NAME:
                self._ears.probe_arrived(message.data)

        transport.add_event_handler("on_client_disconnected", closed)
        self._worker.rtvi.add_event_handler("on_client_ready", ready)
        self._worker.rtvi.add_event_handler("on_client_message", message)

    async def _run(self) -> None:
        await self._runner.add_workers(self._worker)
        await self._runner.run()
        self._record("server", "bot_ended", pc_id=self._connection.pc_id)
        self._fall_silent()

    def _client_ready(self) -> None:
        self._ears.begin()
        if self._talking is None:
            self._talking = probes.Metronome(self._send_probe, self._record.now_s, self._ears.last_message_s)

    def _send_probe(self) -> None:
        ears = self._ears
        ears.sent_messages.add("sent")
        number, ears.next_number = ears.next_number, ears.next_number + 1
        content = {"t": probes.PROBE_NAME, "number": number, "sent_s": round(self._record.now_s(), 6)}
        task = asyncio.create_task(self._worker.rtvi.send_server_message(content))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _speak(self) -> None:
        """Say the tone, as fast as it is heard, whether or not Pipecat can send it."""
        loop = asyncio.get_running_loop()
        speech, due_s = tone(), loop.time() - _LEAD_S
        while True:
            await self._worker.queue_frame(OutputAudioRawFrame(speech, VOICE_RATE_HZ, 1))
            due_s += _SPEECH_S
            await asyncio.sleep(due_s - loop.time())

    def _fall_silent(self) -> None:
        if self._talking is not None:
            self._talking.stop()
        for task in self._tasks[1:]:
            task.cancel()

    async def close(self) -> None:
        """End the pipeline, by force if it must be."""
        self._fall_silent()
        await self._runner.cancel()
        await asyncio.wait(self._tasks, timeout=_CLOSE_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
