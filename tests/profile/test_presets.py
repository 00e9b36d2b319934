"""The presets of other tools, held against their sources."""

import pytest

from simlab.batch.scenarios import load_file
from tests.profile.texts import PROFILES

# kbit/s, ms one way and % lost, of what the client receives and what it sends; queues in packets, if told.
PRESETS = {
    # webrtc.googlesource.com/src, tools_webrtc/network_emulator/emulate.py before it was removed (0c83665d27)
    "nlc/3g": ((780, 100, 0), (330, 100, 0), 100),
    "nlc/3g-good": ((850, 90, 0), (420, 90, 0), 100),
    "nlc/3g-lossy": ((780, 100, 1), (330, 100, 1), 100),
    "nlc/cable": ((6000, 2, 0), (1000, 2, 0), 10),
    "nlc/dsl": ((2000, 5, 0), (256, 5, 0), 10),
    "nlc/edge": ((240, 400, 0), (200, 400, 0), 100),
    "nlc/edge-good": ((250, 350, 0), (200, 350, 0), 100),
    "nlc/edge-lossy": ((240, 400, 1), (200, 400, 1), 100),
    "nlc/wifi": ((40_000, 1, 0), (33_000, 1, 0), 100),
    "nlc/wifi-good": ((45_000, 1, 0), (40_000, 1, 0), 100),
    "libwebrtc/generic-bad": ((95, 250, 2), (95, 250, 2), 100),
    "libwebrtc/generic-average": ((375, 145, 0.1), (375, 145, 0.1), 100),
    "libwebrtc/generic-good": ((1000, 35, 0), (1000, 35, 0), 100),
    # github.com/facebookarchive/augmented-traffic-control, utils/profiles
    "atc/2g-rural": ((20, 650, 2), (18, 650, 2), None),
    "atc/2g-urban": ((35, 650, 0), (32, 650, 0), None),
    "atc/3g": ((780, 100, 0), (330, 100, 0), None),
    "atc/3g-good": ((850, 90, 0), (420, 100, 0), None),
    "atc/cable": ((6000, 2, 0), (1000, 2, 0), None),
    "atc/dsl": ((2000, 5, 0), (256, 5, 0), None),
    "atc/edge": ((240, 400, 0), (200, 440, 0), None),
    "atc/edge-good": ((250, 350, 0), (200, 370, 0), None),
    "atc/edge-lossy": ((240, 400, 1), (200, 440, 1), None),
    # github.com/GoogleChrome/lighthouse, core/config/constants.js: a round trip
    "lighthouse/slow-4g": ((1.6 * 1024, 150 / 2, 0), (750, 150 / 2, 0), None),
    "lighthouse/desktop": ((10 * 1024, 40 / 2, 0), (10 * 1024, 40 / 2, 0), None),
    # github.com/catchpoint/WebPageTest, www/settings/connectivity.ini.sample: a round trip
    "webpagetest/cable": ((5000, 28 / 2, 0), (1000, 28 / 2, 0), None),
    "webpagetest/dsl": ((1500, 50 / 2, 0), (384, 50 / 2, 0), None),
    "webpagetest/fios": ((20_000, 4 / 2, 0), (5000, 4 / 2, 0), None),
    "webpagetest/dial": ((49, 120 / 2, 0), (30, 120 / 2, 0), None),
    "webpagetest/lte": ((12_000, 70 / 2, 0), (12_000, 70 / 2, 0), None),
    "webpagetest/3g": ((1600, 300 / 2, 0), (768, 300 / 2, 0), None),
    "webpagetest/3g-fast": ((1600, 150 / 2, 0), (768, 150 / 2, 0), None),
    "webpagetest/edge": ((240, 840 / 2, 0), (200, 840 / 2, 0), None),
    "webpagetest/2g": ((280, 800 / 2, 0), (256, 800 / 2, 0), None),
}


@pytest.mark.parametrize("key", PRESETS)
def test_a_preset_is_as_its_source_has_it(key):
    down, up, packets = PRESETS[key]
    link = load_file(str(PROFILES / f"{key}.toml"), {}).link
    for (kbit_per_s, delay_ms, loss_percent), way in ((down, link.down), (up, link.up)):
        assert way.rate.rate_bytes_per_s * 8 / 1000 == pytest.approx(kbit_per_s)
        assert way.delay.mean_s * 1000 == pytest.approx(delay_ms)
        assert (0 if way.loss is None else way.loss.loss_chance * 100) == pytest.approx(loss_percent)
        assert way.rate.queue_packets == packets
        assert way.changes == ()
