import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlab.core.errors import InvalidInputError
from simlab.profile import BlackoutFault, BlockFault, Profile, SignallingFault, load
from simlab.profile.faults import KINDS
from simlab.reconnect.policy import POLICIES
from tests.profile.texts import FULL, SHIPPED

BOTH_FAULTS = """
[[fault]]
kind = "{kind}"
at = "1s"
for = "4s"
{one}
[[fault]]
kind = "{kind}"
at = "{at}"
for = "1s"
{other}
"""


KINDS_LISTED = ", ".join(f'"{kind}"' for kind in KINDS)


NAMED = {"pipecat": POLICIES["pipecat"], "none": POLICIES["never"]}


def faults_of(text, overrides=None, policies=None):
    with pytest.raises(InvalidInputError) as caught:
        load(text, "lift.toml", overrides or {}, policies=policies)
    return list(caught.value.faults)


def test_an_empty_file_is_a_clean_network():
    profile = load("", "some/where/lift.toml")
    assert profile.name == "lift"
    assert (profile.duration_s, profile.seed, profile.clock) == (30.0, 1, "virtual")
    assert (profile.peers.media, profile.peers.clients) == (("audio",), 1)
    assert profile.client.behaviour.stop_shared_tracks
    assert profile.client.behaviour.drop_new_remote_tracks
    assert (profile.server.mode, profile.policy.name) == ("multiple", "pipecat")
    assert (profile.faults, profile.expectations) == ((), ())
    assert profile.link.up == profile.link.down
    assert profile.link.up.delay.mean_s == 0.0


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("-", "unnamed"),
        ("a b.toml", "a-b"),
        ("netze/Büro 1.toml", "Buro-1"),
        ("網.toml", "unnamed"),
        ("../x/y-1.toml", "y-1"),
    ],
)
def test_a_profile_is_named_after_its_file(file, name):
    assert load("", file).name == name


def test_every_key():
    profile = load(FULL, "full.toml", policies=NAMED)
    assert (profile.duration_s, profile.seed, profile.clock) == (120.0, 9, "real")
    assert not profile.client.behaviour.stop_shared_tracks
    policy = profile.policy
    assert (policy.name, policy.grace_s, policy.retry_delay_s, policy.max_attempts) == (
        "pipecat",
        4.0,
        1.5,
        7,
    )
    blackout, block, signalling = profile.faults
    assert isinstance(blackout, BlackoutFault)
    assert (blackout.at_s, blackout.for_s, blackout.until_s, blackout.directions) == (
        10.0,
        4.0,
        14.0,
        ("up",),
    )
    assert isinstance(block, BlockFault)
    assert block.directions == ("up", "down")
    assert block.classes == {"stun.request", "stun.response", "stun.error", "stun.indication", "rtcp"}
    assert isinstance(signalling, SignallingFault)
    assert (signalling.how.kind, signalling.how.wait_s, signalling.how.text) == ("slow", 3.0, "slow 3s")
    assert [(e.metric, e.operator, e.bound, e.text) for e in profile.expectations] == [
        ("success_rate", ">=", 0.99, "success_rate >= 99%"),
        ("recovery_p95", "<=", 12.0, "recovery_p95 <= 12s"),
        ("violations", "==", 0.0, "violations == 0"),
        ("usable_fraction", ">", 0.5, "usable_fraction > 0.5"),
        ("connect_s", "<", 0.9, "connect_s < 900ms"),
        ("outages", "!=", 2.0, "outages != 2"),
        ("attempts", "<=", 3.0, "attempts <= 3"),
    ]


def test_all_faults_at_once():
    text = """
        dely = 1
        [link]
        latency = "4ms"
        [link.up]
        delay = "-4ms"
        [peers]
        media = ["vido"]
        clients = 501
        [[fault]]
        kind = "blackot"
        [[fault]]
        at = "1s"
        [[fault]]
        kind = "block"
        at = "1s"
        match = ["stn"]
    """
    assert faults_of(text) == [
        'lift.toml: peers.media[0] is "vido", did you mean "video"?',
        "lift.toml: peers.clients is 501, want 500 or less",
        'lift.toml: link.up.delay is "-4ms", want 0 or more',
        'lift.toml: link.latency is unknown, did you mean "delay"?',
        'lift.toml: fault[0].kind is "blackot", did you mean "blackout"?',
        "lift.toml: fault[1].kind is missing",
        "lift.toml: fault[2].for is missing",
        'lift.toml: fault[2].match: "stn" is no packet class, did you mean "stun"?',
        "lift.toml: dely is unknown",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("seed = -1", "seed is -1, want 0 or more"),
        ("seed = true", "seed is true, want a whole number"),
        ("seed = 1.5", "seed is 1.5, want a whole number"),
        ("seed = 0x" + "f" * 9999, "seed is a huge number, want 9223372036854775807 or less"),
        ("duration = '0s'", 'duration is "0s", want more than 0'),
        (
            "duration = 30",
            'duration is 30, want a duration with its unit (us, ms, s, min, h), such as "40ms"',
        ),
        ("duration = '25h'", 'duration is "25h", want 24 hours or less'),
        ("name = 'a/b'", 'name is "a/b", want at most 64 letters, digits, dots, dashes and underscores'),
        ("name = 7", "name is 7, want text in quotes"),
        ("clock = 'fake'", 'clock is "fake", want one of "virtual", "real"'),
        ("clock = 'vitual'", 'clock is "vitual", did you mean "virtual"?'),
        ("link = 3", "link is 3, want a table"),
        ("fault = 3", "fault is 3, want a list"),
        ("fault = [3]", "fault[0] is 3, want a table"),
        ("fault = [{kind = 3}]", f"fault[0].kind is 3, want one of {KINDS_LISTED}"),
        ("fault = {kind = 'blackout'}", "fault: want a list"),
        ("peers.media = 'audio'", 'peers.media is "audio", want a list'),
        ("peers.media = ['audio', 'audio']", "peers.media: want each at most once"),
        ("peers.media = ['audio', 'video', 'audio']", "peers.media: want 2 or fewer"),
        (
            "peers.client = 'firefox'",
            'peers.client is "firefox", want one of "builtin", "chromium", "MODULE:NAME"',
        ),
        (
            "client.behaviour.stop_shared_tracks = 1",
            "client.behaviour.stop_shared_tracks is 1, want true or false",
        ),
        ("policy.max_attempts = -1", "policy.max_attempts is -1, want 0 or more"),
        ("link.loss = nan", "link.loss is nan, want 1 (100%) or less"),
        ("link.loss = {}", "link.loss.model is missing"),
        (
            "link.loss = {model = 'x'}",
            'link.loss.model is "x", want one of "bernoulli", "gilbert-elliott", "four-state", "correlated", '
            '"scripted"',
        ),
        ("link.delay = {model = 'normal', mean = '1s'}", "link.delay.deviation is missing"),
        (
            "link.delay = {model = 'normal', mean = '1s', deviation = '1s', jiter = 1}",
            "link.delay.jiter is unknown",
        ),
        (
            "link.loss = {model = 'gilbert-elliott', loss = '60%', burst = 1}",
            "link.loss: want a mean burst of 1.5 packets or more with a loss of 0.6",
        ),
        (
            "link.loss = {model = 'gilbert-elliott', loss = '6%'}",
            "link.loss: want loss and burst; or p and r, with h and k where they are not 0 and 1; "
            "or good and bad, with loss_bad and loss_good where they are not 100% and 0%",
        ),
        (
            "link.loss = {model = 'gilbert-elliott', loss = '6%', burst = 2, h = 0}",
            "link.loss: want loss and burst; or p and r, with h and k where they are not 0 and 1; "
            "or good and bad, with loss_bad and loss_good where they are not 100% and 0%",
        ),
        (
            "link.loss = {model = 'gilbert-elliott', loss = '6%', burst = 0}",
            "link.loss.burst is 0, want 1 or more",
        ),
        (
            "expect.violations = 0",
            "expect.violations is 0, want an operator (<=, >=, ==, !=, <, >) and a value",
        ),
        (
            "expect.violations = '== 0.5'",
            'expect.violations is "== 0.5", want a whole number after the operator, such as "== 0"',
        ),
        ("expect.succes_rate = '>= 1'", 'expect.succes_rate is unknown, did you mean "success_rate"?'),
        (
            "[signalling]\npath = 'link'\ndelay = '5ms'",
            'signalling.delay is "5ms", want no delay beside path = "link": it is the link\'s',
        ),
        ("[signalling]\npath = 'tcp'", 'signalling.path is "tcp", want "link"'),
        ('"a b" = 1', '"a b" is unknown'),
        ('"#link" = 1', '"#link" is unknown, did you mean "link"?'),
    ],
)
def test_sentences(text, fault):
    assert faults_of(text) == [f"lift.toml: {fault}"]


@pytest.mark.parametrize(
    "how", ["status 399", "status 600", "status", "slow", "slow 3", "503", "refuse", "", "hang ", 503]
)
def test_no_ways_for_signalling_to_fail(how):
    (fault,) = faults_of("[[fault]]\nkind='signalling'\nat='1s'\nfor='1s'", {"fault[0].how": repr(how)})
    assert fault.startswith("--set fault[0].how is ")
    assert "want " in fault


@pytest.mark.parametrize(
    "how", ["status 400", "status 599", "refused", "reset", "hang", "half-open", "lost-response", "slow 1s"]
)
def test_ways_for_signalling_to_fail(how):
    profile = load(f"[[fault]]\nkind='signalling'\nat='1s'\nfor='1s'\nhow='{how}'", "x")
    (fault,) = profile.faults
    assert isinstance(fault, SignallingFault)
    assert fault.how.text == how


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("blackout", "", ""),
        ("blackout", "direction = 'up'", ""),
        ("block", "match = ['stun']", "match = ['stun.request']"),
        ("signalling", "how = 'reset'", "how = 'hang'"),
    ],
)
def test_faults_of_a_kind_may_not_overlap(kind, one, other):
    assert faults_of(BOTH_FAULTS.format(kind=kind, one=one, other=other, at="4.9s")) == [
        f'lift.toml: fault[1].at is "4.9s", want no overlap with fault[0], another {kind}'
    ]
    assert load(BOTH_FAULTS.format(kind=kind, one=one, other=other, at="5s"), "x").faults[1].at_s == 5.0


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("blackout", "direction = 'up'", "direction = 'down'"),
        ("block", "match = ['stun']", "match = ['rtp']"),
        ("block", "match = ['stun']\ndirection = 'up'", "match = ['stun']\ndirection = 'down'"),
    ],
)
def test_faults_that_touch_different_packets_may_overlap(kind, one, other):
    assert len(load(BOTH_FAULTS.format(kind=kind, one=one, other=other, at="2s"), "x").faults) == 2


def test_a_fault_ends_within_the_session():
    text = "duration = '0.3s'\n[[fault]]\nkind = 'blackout'\nat = '0.1s'\nfor = '{}'"
    assert load(text.format("0.2s"), "x").faults[0].until_s == 0.3
    assert faults_of(text.format("0.3s")) == [
        'lift.toml: fault[0].for is "0.3s", want an end within the duration of 300ms, not at 400ms'
    ]


def test_policies_by_name():
    text = "policy.name = 'pipcat'"
    assert load(text, "x").policy.name == "pipcat"
    assert faults_of(text, policies=NAMED) == ['lift.toml: policy.name is "pipcat", did you mean "pipecat"?']
    assert faults_of("policy.name = 'x'", policies=NAMED) == [
        'lift.toml: policy.name is "x", want one of "pipecat", "none"'
    ]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a = ", "lift.toml: line 1, at its end: Invalid value"),
        ("[link]\ndelay", "lift.toml: line 2, at its end: Expected '=' after a key in a key/value pair"),
        ("seed = 1\nseed = 2", "lift.toml: line 2, at its end: Cannot overwrite a value"),
        ("a = 1 2", "lift.toml: line 1, column 7: Expected newline or end of document after a statement"),
        ("name = '\udcff'", "lift.toml: the text is not UTF-8"),
        ("a = " + "[" * 100_000, "lift.toml: lists or tables are nested too deep"),
        ("a = " + "9" * 5000, "lift.toml: a whole number is too long"),
        ("#" * 10_000_001, "lift.toml: 10000001 characters are too many for a profile (10 MB at most)"),
    ],
)
def test_broken_text(text, where):
    assert faults_of(text) == [where]


def test_overrides():
    profile = load(
        SHIPPED["flaky"],
        "flaky.toml",
        {
            "client.behaviour.stop_shared_tracks": "false",
            "fault[0].for": "5s",
            "link.loss": "0.1",
            "link.up.delay": "7ms",
            "link.up.jitter": "0s",
            "name": "other",
            "peers.media": "[]",
        },
    )
    assert not profile.client.behaviour.stop_shared_tracks
    assert profile.faults[0].for_s == 5.0
    assert profile.link.up.loss == profile.link.down.loss
    assert profile.link.down.loss.loss_chance == 0.1
    assert (profile.link.up.delay.mean_s, profile.link.down.delay.mean_s) == (0.007, 0.04)
    assert (profile.name, profile.peers.media) == ("other", ())


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("link.latency", "4ms", '--set link.latency is unknown, did you mean "delay"?'),
        ("link.delay", "-4ms", '--set link.delay is "-4ms", want 0 or more'),
        ("links.delay", "4ms", '--set links.delay: links is unknown, did you mean "link"?'),
        ("link.up", "{delay = 3}", "--set link.up: link.up.delay is 3, want a duration with its unit"),
        ("fault[7].for", "1s", "--set fault[7].for: there is no fault[7], the profile has 4, counted from 0"),
        ("fault.for", "1s", "--set fault.for: fault is a list, want one of it, such as fault[0].for"),
        ("faults[0].for", "1s", '--set faults[0].for: there is no faults[0], did you mean "fault"?'),
        (
            "link.delay.mean",
            "1ms",
            "--set link.delay.mean: link.delay is not a table, want a value for the whole",
        ),
        ("peers.media", "audio", '--set peers.media is "audio", want a list, such as ["audio"]'),
        ("peers.media", '"audio"', '--set peers.media is "audio", want a list, such as ["audio"]'),
        (
            "peers.media",
            "[audio]",
            '--set peers.media is "[audio]", want a list; in brackets a value is TOML, where words',
        ),
        (
            "link.loss",
            "{model=bernoulli,loss=3%}",
            '--set link.loss is "{model=bernoulli,loss=3%}", want a chance, such as "3%" or 0.03; in',
        ),
        ("fault[0].kind", "blackot", '--set fault[0].kind is "blackot", did you mean "blackout"?'),
        ("seed.x", "1", "--set seed.x: seed: want a whole number"),
        ("name.x", "1", "--set name.x: name is not a table"),
        ("name[0]", "1", "--set name[0]: name is not a list"),
        ("", "1", '--set : want a dotted key, such as "link.up.delay" or "fault[0].for"'),
        ("link..up", "1", "--set link..up: want a dotted key"),
        ("fault[x].for", "1", "--set fault[x].for: want a dotted key"),
        ("description", "\udcff", "--set description: want UTF-8"),
        ("description", "[" * 100_000, None),
        ("seed", "1\nclock = 'real'", "--set seed is "),
    ],
)
def test_wrong_overrides(key, value, fault):
    if fault is None:
        assert load(SHIPPED["flaky"], "f", {key: value}).description == value
        return
    (found,) = faults_of(SHIPPED["flaky"], {key: value})
    assert found.startswith(fault)


def test_an_override_of_a_fault_that_a_profile_without_faults_has_not():
    told = "--set fault[0].for: there is no fault[0], the profile has none"
    assert faults_of("", {"fault[0].for": "2s"}) == [told]


@given(st.text())
def test_any_text_loads_or_is_refused(text):
    loads_or_is_refused(text, {})


@given(
    st.sampled_from(["link", "link.up.delay", "fault", "fault[0]", "seed", "expect", "client.behaviour"]),
    st.text(),
)
def test_any_override_loads_or_is_refused(key, value):
    loads_or_is_refused(FULL, {key: value})


@given(st.text(), st.text())
def test_any_override_key_loads_or_is_refused(key, value):
    loads_or_is_refused(FULL, {key: value})


def loads_or_is_refused(text, overrides):
    try:
        profile: Profile | None = load(text, "x.toml", overrides)
    except InvalidInputError as error:
        profile, faults = None, error.faults
    assert isinstance(profile, Profile) or faults
