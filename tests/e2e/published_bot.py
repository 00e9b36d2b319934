"""A bot on Pipecat's own runner that says what it hears: ``python -m tests.e2e.published_bot -t webrtc``."""

from aioice.ice import get_host_addresses
from pipecat.frames.frames import Frame, InputAudioRawFrame, OutputAudioRawFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.runner.run import main
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport
from pipecat.workers.runner import WorkerRunner

from simlab.live.addresses import gathering_from


class Echo(FrameProcessor):
    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, InputAudioRawFrame):
            frame = OutputAudioRawFrame(frame.audio, frame.sample_rate, frame.num_channels)
        await self.push_frame(frame, direction)


async def bot(arguments):
    params = TransportParams(audio_in_enabled=True, audio_out_enabled=True)
    transport = SmallWebRTCTransport(webrtc_connection=arguments.webrtc_connection, params=params)
    pipeline = Pipeline([transport.input(), Echo(), transport.output()])
    worker = PipelineWorker(pipeline, idle_timeout_secs=None)
    runner = WorkerRunner(handle_sigint=False)

    @transport.event_handler("on_client_disconnected")
    async def gone(*_):
        await worker.cancel()

    await runner.add_workers(worker)
    await runner.run()


if __name__ == "__main__":
    # aioice leaves out loopback by itself, which is all that some build servers have.
    with gathering_from(lambda: [*get_host_addresses(True, False), "127.0.0.1"]):
        main()
