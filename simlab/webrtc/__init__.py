"""Both ends of Pipecat's SmallWebRTC transport, on asyncio and aiortc; the same code under both clocks."""
