"""Profiles for the tests: the six that are shipped, and one that uses every key."""

from pathlib import Path

PROFILES = Path(__file__).parents[2] / "profiles"
SUITES = ("nightly",)
FILES = [path for path in sorted(PROFILES.rglob("*.toml")) if path.stem not in SUITES]
CATALOGUE = {path.relative_to(PROFILES).with_suffix("").as_posix(): path.read_text() for path in FILES}
SHIPPED = {path.stem: path.read_text() for path in FILES if path.parent == PROFILES}

FULL = """
name = "full"
description = "Every key"
source = "nowhere"
source_kind = "rtt"
evidence = "preset"
duration = "2min"
seed = 9
clock = "real"

[peers]
client = "builtin"
server = "builtin"
media = ["audio"]
clients = 1

[client]
preset = "pipecat-1.10.8"
liveness = "chromium"
ping_interval = "500ms"
trickle_window = "100ms"
[client.behaviour]
stop_shared_tracks = false
drop_new_remote_tracks = false

[server]
preset = "pipecat-1.14.0"
mode = "single"
esp32 = true
esp32_host = "10.0.2.2"
connecting_timeout = "30s"
ping_window = "4s"
channel_timeout = "8s"
queued_messages = 20
renegotiation_latch = "1s"
write_timeout = "6s"

[bot]
starts_after = "2s"
voice = "echo"
talks_for = "2s"
pauses_for = "1s"
ends_after = "90s"
ends_on = "goodbye"
greets = true
prompts_after = "5s"

[policy]
name = "pipecat"
grace = "4s"
retry_delay = "1.5s"
max_attempts = 7

[link]
delay = { model = "normal", mean = "40ms", deviation = "10ms", reorder = true }
loss = { model = "gilbert-elliott", p = "1%", r = "25%", h = 0.1, k = 0.999 }
rate = "2Mbit/s"
queue = "64KiB"
duplicate = "1%"
corrupt = 0.001
[link.up]
delay = "30ms"
jitter = "5ms"
loss = { model = "bernoulli", loss = "2%" }
rate = "500kbit/s"
[link.down]
delay = { model = "uniform", mean = "20ms", jitter = "10ms" }
loss = { model = "gilbert-elliott", loss = "5%", burst = 4 }
queue = "1500B"

[signalling]
delay = "20ms"

[ice]
servers = ["turn", "stun"]
used_by = ["client", "server"]
policy = "relay"
username = "me"
password = "right"
lifetime = "60s"
permission_lifetime = "30s"
channel_lifetime = "40s"
nonce_lifetime = "50s"
quota = 3
[ice.told]
username = "you"
password = "wrong"

[[fault]]
kind = "blackout"
at = "10s"
for = "4s"
direction = "up"

[[fault]]
kind = "block"
at = "20s"
for = "4s"
match = ["stun", "rtcp"]

[[fault]]
kind = "signalling"
at = "30s"
for = "10s"
how = "slow 3s"

[expect]
success_rate = ">= 99%"
recovery_p95 = "<= 12s"
violations = "== 0"
usable_fraction = "> 0.5"
connect_s = "< 900ms"
outages = "!= 2"
attempts = "<= 3"
"""
