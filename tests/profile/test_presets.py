"""The presets of other tools, held against their sources."""

import pytest

from simlab.batch.scenarios import load_file
from tests.profile.texts import PROFILES

ASSUMED = (65_536, None)
"""The queue where a source says nothing of one: bytes and packets."""
K = 1.024
"""Firefox's and Lighthouse's kilobits have 1024 bits."""


def packets(count):
    return (None, count)


# kbit/s, ms one way and % lost, of what the client receives and what it sends; and the queue.
PRESETS = {
    # webrtc.googlesource.com/src, tools_webrtc/network_emulator/emulate.py before it was removed
    # (0c83665d27), with one delay for both directions; where those differ, as ATC and Soundtrack's
    # certification list have them.
    "nlc/3g": ((780, 100, 0), (330, 100, 0), packets(100)),
    "nlc/3g-good": ((850, 90, 0), (420, 100, 0), packets(100)),
    "nlc/3g-lossy": ((780, 100, 1), (330, 100, 1), packets(100)),
    "nlc/cable": ((6000, 2, 0), (1000, 2, 0), packets(10)),
    "nlc/dsl": ((2000, 5, 0), (256, 5, 0), packets(10)),
    "nlc/edge": ((240, 400, 0), (200, 440, 0), packets(100)),
    "nlc/edge-good": ((250, 350, 0), (200, 370, 0), packets(100)),
    "nlc/edge-lossy": ((240, 400, 1), (200, 440, 1), packets(100)),
    "nlc/wifi": ((40_000, 1, 0), (33_000, 1, 0), packets(100)),
    "nlc/wifi-good": ((45_000, 1, 0), (40_000, 1, 0), packets(100)),
    "nlc/very-bad-network": ((1000, 500, 10), (1000, 500, 10), ASSUMED),
    "libwebrtc/generic-bad": ((95, 250, 2), (95, 250, 2), packets(100)),
    "libwebrtc/generic-average": ((375, 145, 0.1), (375, 145, 0.1), packets(100)),
    "libwebrtc/generic-good": ((1000, 35, 0), (1000, 35, 0), packets(100)),
    # webrtc.googlesource.com/src, video/pc_full_stack_tests.cc: its queue has the packet that is being sent,
    # too, and 10,000 that wait where it has no length (api/test/network_emulation/network_queue.h)
    "libwebrtc/150kbit-100ms-q30": ((150, 100, 0), (150, 100, 0), packets(30 - 1)),
    "libwebrtc/250kbit-100ms-q10-loss1": ((250, 100, 1), (250, 100, 1), packets(10 - 1)),
    "libwebrtc/500kbit-50ms-loss3": ((500, 50, 3), (500, 50, 3), packets(10_000)),
    "libwebrtc/500kbit-100ms-q32": ((500, 100, 0), (500, 100, 0), packets(32 - 1)),
    "libwebrtc/500kbit-200ms-loss5": ((500, 200, 5), (500, 200, 5), packets(10_000)),
    "libwebrtc/500kbit-200ms-loss10": ((500, 200, 10), (500, 200, 10), packets(10_000)),
    "libwebrtc/1000kbit-100ms-q32": ((1000, 100, 0), (1000, 100, 0), packets(32 - 1)),
    "libwebrtc/2000kbit-100ms-q32": ((2000, 100, 0), (2000, 100, 0), packets(32 - 1)),
    "libwebrtc/2000kbit-100ms-q50-loss3": ((2000, 100, 3), (2000, 100, 3), packets(50 - 1)),
    # github.com/facebookarchive/augmented-traffic-control, utils/profiles; the queue is what atcd lets exceed
    # the rate (DEFAULT_BURST_SIZE in atc/atcd/atcd/AtcdThriftHandlerTask.py)
    "atc/2g-rural": ((20, 650, 2), (18, 650, 2), (12_000, None)),
    "atc/2g-urban": ((35, 650, 0), (32, 650, 0), (12_000, None)),
    "atc/3g": ((780, 100, 0), (330, 100, 0), (12_000, None)),
    "atc/3g-good": ((850, 90, 0), (420, 100, 0), (12_000, None)),
    "atc/cable": ((6000, 2, 0), (1000, 2, 0), (12_000, None)),
    "atc/dsl": ((2000, 5, 0), (256, 5, 0), (12_000, None)),
    "atc/edge": ((240, 400, 0), (200, 440, 0), (12_000, None)),
    "atc/edge-good": ((250, 350, 0), (200, 370, 0), (12_000, None)),
    "atc/edge-lossy": ((240, 400, 1), (200, 440, 1), (12_000, None)),
    # github.com/GoogleChrome/lighthouse, core/config/constants.js: a round trip
    "lighthouse/slow-4g": ((1600 * K, 150 / 2, 0), (750, 150 / 2, 0), ASSUMED),
    "lighthouse/regular-3g": ((700, 300 / 2, 0), (700, 300 / 2, 0), ASSUMED),
    "lighthouse/desktop": ((10_000 * K, 40 / 2, 0), (10_000 * K, 40 / 2, 0), ASSUMED),
    # github.com/ChromeDevTools/devtools-frontend, front_end/core/sdk/NetworkManager.ts: the round trip and
    # the rates that a preset stands for
    "devtools/3g": ((500, 400 / 2, 0), (500, 400 / 2, 0), ASSUMED),
    "devtools/slow-4g": ((1600, 150 / 2, 0), (750, 150 / 2, 0), ASSUMED),
    "devtools/fast-4g": ((9000, 60 / 2, 0), (1500, 60 / 2, 0), ASSUMED),
    # ... and what it tells the browser instead, which WebRTC gets in each direction, in whole milliseconds
    # (chromium, services/network/throttling/throttling_p2p_network_interceptor.cc)
    "devtools/3g-webrtc": ((500 * 0.8, 400 * 5, 0), (500 * 0.8, 400 * 5, 0), packets(10_000)),
    "devtools/slow-4g-webrtc": ((1600 * 0.9, 562, 0), (750 * 0.9, 562, 0), packets(10_000)),
    "devtools/fast-4g-webrtc": ((9000 * 0.9, 60 * 2.75, 0), (1500 * 0.9, 60 * 2.75, 0), packets(10_000)),
    # github.com/mozilla/gecko-dev, devtools/client/shared/components/throttling/profiles.js: once for each
    # request
    "firefox/gprs": ((50 * K, 500 / 2, 0), (20 * K, 500 / 2, 0), ASSUMED),
    "firefox/2g": ((250 * K, 300 / 2, 0), (50 * K, 300 / 2, 0), ASSUMED),
    "firefox/2g-good": ((450 * K, 150 / 2, 0), (150 * K, 150 / 2, 0), ASSUMED),
    "firefox/3g": ((750 * K, 100 / 2, 0), (250 * K, 100 / 2, 0), ASSUMED),
    "firefox/3g-good": ((1500 * K * K, 40 / 2, 0), (750 * K, 40 / 2, 0), ASSUMED),
    "firefox/4g": ((4000 * K * K, 20 / 2, 0), (3000 * K * K, 20 / 2, 0), ASSUMED),
    "firefox/dsl": ((2000 * K * K, 5 / 2, 0), (1000 * K * K, 5 / 2, 0), ASSUMED),
    "firefox/wifi": ((30_000 * K * K, 2 / 2, 0), (15_000 * K * K, 2 / 2, 0), ASSUMED),
    # github.com/catchpoint/WebPageTest, www/settings/connectivity.ini.sample: a round trip
    "webpagetest/cable": ((5000, 28 / 2, 0), (1000, 28 / 2, 0), ASSUMED),
    "webpagetest/dsl": ((1500, 50 / 2, 0), (384, 50 / 2, 0), ASSUMED),
    "webpagetest/fios": ((20_000, 4 / 2, 0), (5000, 4 / 2, 0), ASSUMED),
    "webpagetest/dial": ((49, 120 / 2, 0), (30, 120 / 2, 0), ASSUMED),
    "webpagetest/lte": ((12_000, 70 / 2, 0), (12_000, 70 / 2, 0), ASSUMED),
    "webpagetest/4g": ((9000, 170 / 2, 0), (9000, 170 / 2, 0), ASSUMED),
    "webpagetest/4g-fast": ((10_240, 40 / 2, 0), (10_240, 40 / 2, 0), ASSUMED),
    "webpagetest/3g": ((1600, 300 / 2, 0), (768, 300 / 2, 0), ASSUMED),
    "webpagetest/3g-fast": ((1600, 150 / 2, 0), (768, 150 / 2, 0), ASSUMED),
    "webpagetest/3g-slow": ((400, 400 / 2, 0), (400, 400 / 2, 0), ASSUMED),
    "webpagetest/edge": ((240, 840 / 2, 0), (200, 840 / 2, 0), ASSUMED),
    "webpagetest/2g": ((280, 800 / 2, 0), (256, 800 / 2, 0), ASSUMED),
    # github.com/quic-interop/quic-interop-runner, testcases_quic.py
    "quic-interop/amplificationlimit": ((10_000, 15, 0), (10_000, 15, None), packets(25)),  # packets 2 to 7
    "quic-interop/corruption": ((10_000, 15, 0), (10_000, 15, 0), packets(25)),
    "quic-interop/handshakeloss": ((10_000, 15, 30), (10_000, 15, 30), packets(25)),
    "quic-interop/longrtt": ((10_000, 750, 0), (10_000, 750, 0), packets(25)),
    "quic-interop/rebind-address": ((10_000, 15, 0), (10_000, 15, 0), packets(25)),
    "quic-interop/rebind-port": ((10_000, 15, 0), (10_000, 15, 0), packets(25)),
    "quic-interop/transferloss": ((10_000, 15, 2), (10_000, 15, 2), packets(25)),
}

# github.com/algesten/str0m, crates/netem/src/config.rs: ms and ms of jitter, packets without a loss and lost
# ones in a row on average, Mbit/s and kB.
STR0M = {
    "cellular/good": (50, 15, 100, 2, 30, 100),
    "cellular/satellite": (600, 30, 100, 3, 15, 500),
    "wifi/congested": (10, 20, 20, 2, 5, 30),
    "wifi/home": (5, 2, 200, 2, 100, 200),
    "wifi/lossy": (15, 10, 40, 2, 50, 100),
    "wifi/very-congested": (80, 40, 20, 2, 10, 50),
}


def link_of(key):
    return load_file(str(PROFILES / f"{key}.toml"), {}).link


@pytest.mark.parametrize("key", PRESETS)
def test_a_preset_is_as_its_source_has_it(key):
    down, up, queue = PRESETS[key]
    link = link_of(key)
    for (kbit_per_s, delay_ms, loss_percent), way in ((down, link.down), (up, link.up)):
        assert way.rate.rate_bytes_per_s * 8 / 1000 == pytest.approx(kbit_per_s)
        assert way.delay.mean_s * 1000 == pytest.approx(delay_ms)
        if loss_percent is not None:
            assert (0 if way.loss is None else way.loss.loss_chance * 100) == pytest.approx(loss_percent)
        assert (way.rate.queue_bytes, way.rate.queue_packets, way.rate.queue_s) == (*queue, None)
        assert way.changes == ()


@pytest.mark.parametrize("key", STR0M)
def test_a_preset_of_str0m_is_as_its_source_has_it(key):
    delay_ms, jitter_ms, good, bad, mbit_per_s, queue_kb = STR0M[key]
    link = link_of(key)
    for way in (link.up, link.down):
        assert (way.delay.mean_s, way.delay.jitter_s) == (delay_ms / 1000, jitter_ms / 1000)
        assert way.loss.enter_bad_chance == pytest.approx(1 / good)
        assert way.loss.leave_bad_chance == pytest.approx(1 / bad)
        assert (way.loss.pass_chance_good, way.loss.pass_chance_bad) == (1, 0)
        assert (way.rate.rate_bytes_per_s * 8, way.rate.queue_bytes) == (mbit_per_s * 1e6, queue_kb * 1000)


def test_every_preset_with_one_rate_is_in_the_table():
    """A family of presets has no profile that nobody has held against its source."""
    families = {key.split("/")[0] for key in PRESETS} | {"nlc"}
    files = (file for family in families for file in (PROFILES / family).glob("*.toml"))
    keys = {f"{file.parent.name}/{file.stem}" for file in files}
    assert keys - PRESETS.keys() == {"libwebrtc/bursts", "quic-interop/blackhole"}
