"""``[policy]``, and policy files."""

import pytest

from simlab.core.errors import InvalidInputError
from simlab.profile.load import load
from simlab.profile.policy_file import load_policy
from simlab.profile.scenario import Scenario
from simlab.reconnect.policy import POLICIES
from simlab.reconnect.terms import Attempt
from simlab.webrtc.policies import rules_of_scenario

DURATION = 'want a duration with its unit (us, ms, s, min, h), such as "40ms"'
LETTERS = "want at most 64 letters, digits, dots, dashes and underscores"
MINE = """
source = "here"
grace = "1s"
delays = ["0s", "500ms"]
actions = ["restart_ice", "recreate"]
max_attempts = "unlimited"
final_statuses = [404, "5xx"]
time_limit = "never"
"""


def profile(text, files=None, **overrides):
    def read(name):
        if name not in (files or {}):
            raise FileNotFoundError(2, "No such file or directory")
        return files[name]

    settings = {key.replace("__", "."): value for key, value in overrides.items()}
    return load(text, "a.toml", settings, policies=POLICIES, read=read)


def terms(*args, **overrides):
    return rules_of_scenario(Scenario.of(profile(*args, **overrides))).terms


def faults(*args, **overrides):
    with pytest.raises(InvalidInputError) as error:
        profile(*args, **overrides)
    return list(error.value.faults)


def policy_faults(text):
    with pytest.raises(InvalidInputError) as error:
        load_policy(text, "mine.toml", POLICIES)
    return list(error.value.faults)


def test_a_file_beside_the_profile_is_a_policy():
    found = terms('[policy]\nname = "mine.toml"\n', {"mine.toml": MINE})
    assert (found.name, found.source, found.grace_s, found.delays_s) == ("mine", "here", 1.0, (0.0, 0.5))
    assert found.actions == (Attempt.RESTART_ICE, Attempt.RECREATE)
    assert (found.max_attempts, found.time_limit_s) == (None, float("inf"))
    assert [found.is_final(status) for status in (404, 400, 503, None)] == [True, False, True, False]
    # What it does not say is as in pipecat-fixed.
    assert found.retry_delay_s == 2.0
    assert not found.keep_retries


def test_a_file_may_start_from_any_policy_and_call_itself():
    found = terms('[policy]\nname = "x/mine.toml"\n', {"x/mine.toml": 'name = "b"\nbase = "livekit"\n'})
    assert (found.name, found.delays_s) == ("b", POLICIES["livekit"].delays_s)


def test_keys_of_the_profile_and_of_the_command_line_go_before_those_of_the_file():
    found = terms('[policy]\nname = "mine.toml"\ngrace = "2s"\n', {"mine.toml": MINE}, policy__factor="3")
    assert (found.grace_s, found.factor, found.delays_s) == (2.0, 3.0, (0.0, 0.5))


def test_any_key_may_stand_over_a_named_policy():
    found = terms('[policy]\nname = "livekit"\njitter = "none"\nmax_attempts = 2\n')
    assert (found.jitter, found.max_attempts, found.delays_s) == ("none", 2, POLICIES["livekit"].delays_s)


def test_a_settled_scenario_needs_the_file_no_more():
    settled = Scenario.of(profile('[policy]\nname = "mine.toml"\n', {"mine.toml": MINE}))
    again = Scenario.of(load(settled.to_toml(), "scenario.toml", policies=POLICIES))
    assert (again.hash, again.policy_name) == (settled.hash, "mine")
    assert rules_of_scenario(again).terms == rules_of_scenario(settled).terms


@pytest.mark.parametrize("name", POLICIES)
def test_naming_a_policy_is_having_its_terms(name):
    found = terms(f'[policy]\nname = "{name}"\n')
    assert found == POLICIES[name] or found.name == "pipecat"


def test_pipecat_follows_the_client_and_the_profile_goes_before_it():
    published = terms("")
    assert (published.keep_grace, published.close_old, published.counter_reset) == (True, "tried", "answer")
    assert published.answer_timeout_s == float("inf")
    fixed = terms('[client]\npreset = "fixed"\n')
    assert (fixed.keep_grace, fixed.close_old, fixed.counter_reset) == (False, "answered", "connected")
    assert (fixed.answer_timeout_s, fixed.abandon_when_healed, fixed.keep_retries) == (10.0, True, False)
    assert fixed.transient_statuses == ("408", "425", "429")
    over = terms('[client]\npreset = "fixed"\n[policy]\nkeep_grace = true\n')
    assert over.keep_grace
    old = terms('[client]\npreset = "pipecat-1.10.6"\n')
    assert (old.final_statuses, old.outlast_disconnect) == ((), True)


@pytest.mark.parametrize("name", [name for name in POLICIES if name != "pipecat"])
def test_other_policies_ignore_the_clients_behaviours(name):
    assert terms(f'[client]\npreset = "fixed"\n[policy]\nname = "{name}"\n') == POLICIES[name]


def test_everything_that_is_wrong_with_a_file_is_said_with_file_and_key():
    wrong = 'grace = "5"\nfactr = 2\njitter = "ful"\nactions = ["restart-ice"]\n'
    wrong += 'max_attempts = -1\nbase = "livekt"\n'
    expected = [
        'mine.toml: base is "livekt", did you mean "livekit"?',
        f'mine.toml: grace is "5", {DURATION}, or "never"',
        'mine.toml: actions[0] is "restart-ice", did you mean "restart_ice"?',
        'mine.toml: jitter is "ful", did you mean "full"?',
        "mine.toml: max_attempts is -1, want 0 or more",
        'mine.toml: factr is unknown, did you mean "factor"?',
    ]
    assert policy_faults(wrong) == expected
    assert faults('[policy]\nname = "mine.toml"\n[link]\ndely = "1s"\n', {"mine.toml": wrong}) == [
        *expected,
        'a.toml: link.dely is unknown, did you mean "delay"?',
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("actions = []", "actions: want at least one"),
        ('final_statuses = ["40x"]', 'final_statuses: want HTTP statuses, such as 404 or "4xx"'),
        ("factor = 0.5", "factor is 0.5, want a number from 1 to 100"),
        ("missed_pings = true", "missed_pings is true, want a whole number"),
        ('max_attempts = "many"', 'max_attempts is "many", want a whole number, or "unlimited"'),
        ('close_old = "before"', 'close_old is "before", want one of "first", "tried", "answered"'),
        (
            'delays = ["1"]',
            'delays[0] is "1", want a duration with its unit (us, ms, s, min, h), such as "40ms"',
        ),
        (
            'name = "no good"',
            f'name is "no good", {LETTERS}',
        ),
        (
            'retry_delay = 0\nmax_attempts = "unlimited"',
            'max_attempts is "unlimited", '
            "want a number, since a retry_delay of 0 would try for ever without a pause",
        ),
    ],
)
def test_a_wrong_value_is_told(line, fault):
    assert policy_faults(line) == [f"mine.toml: {fault}"]


FOR_EVER = "it would try for ever without a pause"


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (
            'base = "daily"\nretry_delay = "0s"',
            f'retry_delay is "0s", want more than 0, since max_attempts of daily is "unlimited": {FOR_EVER}',
        ),
        (
            'base = "reconnecting-websocket"\nlongest_delay = "0s"',
            'longest_delay is "0s", want more than 0, since max_attempts of reconnecting-websocket is '
            f'"unlimited": {FOR_EVER}',
        ),
        (
            'base = "immediate"\ndelays = ["1s", "0s"]',
            'delays: want more than 0 at the end, since max_attempts of immediate is "unlimited": '
            f"{FOR_EVER}",
        ),
        (
            'delays = [0]\nmax_attempts = "unlimited"',
            'max_attempts is "unlimited", want a number, since delays of 0 at the end would try for ever '
            "without a pause",
        ),
        (
            'base = "daily"\ndelays = ["1s"]\nretry_delay = 0\njitter = "decorrelated"',
            f'retry_delay is 0, want more than 0, since max_attempts of daily is "unlimited": {FOR_EVER}',
        ),
    ],
)
def test_a_policy_that_would_try_for_ever_without_a_pause_is_told_whatever_it_starts_from(lines, fault):
    assert policy_faults(lines) == [f"mine.toml: {fault}"]
    assert faults('[policy]\nname = "mine.toml"\n', {"mine.toml": lines}) == [f"mine.toml: {fault}"]


def test_a_profile_that_would_try_for_ever_is_told_by_what_was_changed_last():
    of_daily = f'want more than 0, since max_attempts of daily is "unlimited": {FOR_EVER}'
    want = of_daily.replace(" of daily", "")
    daily = '[policy]\nname = "daily"\n'
    assert faults(f"{daily}retry_delay = 0\n") == [f"a.toml: policy.retry_delay is 0, {of_daily}"]
    assert faults(daily, policy__retry_delay="0s") == [f'--set policy.retry_delay is "0s", {of_daily}']
    changed = faults('[policy]\nmax_attempts = "unlimited"\n', policy__retry_delay="0s")
    assert changed == [f'--set policy.retry_delay is "0s", {want}']
    number = "want a number, since a retry_delay of 0 would try for ever without a pause"
    changed = faults('[policy]\nretry_delay = "0s"\n', policy__max_attempts="unlimited")
    assert changed == [f'--set policy.max_attempts is "unlimited", {number}']


@pytest.mark.parametrize(
    "lines",
    [
        'base = "daily"\nretry_delay = "0s"\nmax_attempts = 5',
        'base = "daily"\nretry_delay = "0s"\ndelays = ["0s", "1s"]',
        'base = "livekit"\nretry_delay = "0s"\nmax_attempts = "unlimited"',
        'base = "daily"\nretry_delay = "0s"\njitter = "livekit"',  # U(0, 0.5 s) in the place of 0
    ],
)
def test_a_policy_that_ends_or_pauses_is_right(lines):
    load_policy(lines, "mine.toml", POLICIES)


def test_a_file_that_is_not_there_is_told_of():
    assert faults('[policy]\nname = "gone.toml"\n') == [
        'a.toml: policy.name is "gone.toml", which cannot be read: No such file or directory'
    ]
    with pytest.raises(InvalidInputError) as error:
        load('[policy]\nname = "gone.toml"\n', "a.toml", policies=POLICIES)
    assert error.value.faults == ('a.toml: policy.name is "gone.toml", no policy file can be read here',)


def test_a_misspelt_policy_is_told_with_what_is_near():
    assert faults('[policy]\nname = "livekt"\n') == [
        'a.toml: policy.name is "livekt", did you mean "livekit"?'
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "pipecat"),
        ('[policy]\nname = "livekit"\nmax_attempts = 4\n', "livekit (max_attempts=4)"),
        (
            '[policy]\nname = "mine.toml"\ntime_limit = "20s"\n',
            'mine (pipecat-fixed, grace=1s, actions=["restart_ice", "recreate"], delays=["0s", "500ms"], '
            "max_attempts=unlimited, 2 more)",
        ),
    ],
)
def test_a_policy_is_told_with_what_is_changed_in_it(text, told):
    scenario = Scenario.of(profile(text, {"mine.toml": MINE}))
    assert scenario.policy_told == told
    assert str(scenario).startswith(f"a, policy {told}, seed 1")
