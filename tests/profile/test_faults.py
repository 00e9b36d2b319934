"""Faults beyond packets: what their tables say, what is refused, and that they are saved as they were."""

import math

import pytest

from simlab.core.errors import InvalidInputError
from simlab.core.nat import Dependence, NatSpec
from simlab.profile import Scenario, load
from simlab.profile.build import links
from simlab.profile.faults import KINDS

TIMED = '[[fault]]\nkind = "{}"\nat = "1s"\nfor = "2s"\n'
ICE = "[ice]\n"  # the STUN and TURN servers that two of the faults are about
EXAMPLES = {
    "blackout": TIMED.format("blackout"),
    "block": TIMED.format("block") + 'match = ["stun"]\n',
    "pause": TIMED.format("pause"),
    "signalling": TIMED.format("signalling") + 'how = "duplicate"\nmethod = "POST"\nnth = 2\n',
    "no-candidates": TIMED.format("no-candidates") + 'direction = "up"\n',
    "wrong-candidates": TIMED.format("wrong-candidates"),
    "mdns-unresolvable": TIMED.format("mdns-unresolvable"),
    "ufrag-stale": TIMED.format("ufrag-stale") + 'direction = "down"\n',
    "checks-blocked": TIMED.format("checks-blocked"),
    "responses-blocked": TIMED.format("responses-blocked"),
    "consent-blocked": TIMED.format("consent-blocked"),
    "bad-integrity": TIMED.format("bad-integrity"),
    "role-conflict": TIMED.format("role-conflict"),
    "candidates-late": TIMED.format("candidates-late") + 'by = "5s"\n',
    "patch-lost": TIMED.format("patch-lost") + "status = 504\n",
    "stun-server-down": TIMED.format("stun-server-down"),
    "turn-server-down": TIMED.format("turn-server-down") + "forgets = false\n",
    "server-restart": TIMED.format("server-restart"),
    "server-freeze": TIMED.format("server-freeze"),
    "server-exhausted": TIMED.format("server-exhausted"),
    "client-freeze": TIMED.format("client-freeze"),
    "tab-closed": '[[fault]]\nkind = "tab-closed"\nat = "1s"\n',
    "rebind": '[[fault]]\nkind = "rebind"\nat = "1s"\nwhat = "address"\n',
    "handover": TIMED.format("handover"),
    "inject": '[[fault]]\nkind = "inject"\nat = "1s"\nwhat = "replay"\nevery = "100ms"\ncount = 3\n',
}


def faults_of(text, **overrides):
    with pytest.raises(InvalidInputError) as caught:
        load(text, "lift.toml", overrides)
    return list(caught.value.faults)


def test_every_kind_has_its_example():
    assert EXAMPLES.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_is_saved_as_it_was(kind):
    scenario = Scenario.of(load(ICE + EXAMPLES[kind], "a.toml"))
    (fault,) = scenario.profile.faults
    assert fault.kind == kind
    assert fault.at_s == 1.0
    assert fault.until_s == {"tab-closed": math.inf, "rebind": 1.0, "inject": 1.2}.get(kind, 3.0)
    assert Scenario.of(load(scenario.to_toml(), "scenario.toml")) == scenario


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_of_a_fault_is_known_by_its_misspelling(kind):
    for line in EXAMPLES[kind].splitlines()[2:]:
        key = line.split(" ")[0]
        found = faults_of(ICE + EXAMPLES[kind].replace(f"{key} =", f"{key}x ="))
        assert any(told.startswith(f"lift.toml: fault[0].{key}x is unknown") for told in found)


@pytest.mark.parametrize(
    ("kind", "key", "value", "told"),
    [
        ("signalling", "how", "truncate", 'is "truncate", want "status N" with N from 400 to 599'),
        ("signalling", "method", "PUT", 'is "PUT", want one of "POST", "PATCH"'),
        ("signalling", "nth", 0, "is 0, want 1 or more"),
        ("patch-lost", "status", 199, "is 199, want 200 or more"),
        ("patch-lost", "status", 600, "is 600, want 599 or less"),
        ("candidates-late", "by", "0s", 'is "0s", want more than 0'),
        ("ufrag-stale", "direction", "out", 'is "out", want one of "both", "up", "down"'),
        ("rebind", "what", "host", 'is "host", want one of "port", "address"'),
    ],
)
def test_wrong_values(kind, key, value, told):
    (found,) = faults_of(EXAMPLES[kind], **{f"fault[0].{key}": str(value)})
    assert found.startswith(f"--set fault[0].{key} {told}")


@pytest.mark.parametrize(("how", "is_what"), [("refused", "refused"), ("half-open", "dead")])
def test_such_a_connection_carries_no_request_to_choose(how, is_what):
    text = EXAMPLES["signalling"].replace("duplicate", how)
    want = f'want no such limit beside how = "{how}": a {is_what} connection carries no request'
    assert faults_of(text) == [
        f'lift.toml: fault[0].method is "POST", {want}',
        f"lift.toml: fault[0].nth is 2, {want}",
    ]


@pytest.mark.parametrize("kind", ["tab-closed", "rebind"])
def test_a_moment_lies_within_the_session_and_has_no_length(kind):
    assert faults_of('duration = "900ms"\n' + EXAMPLES[kind]) == [
        'lift.toml: fault[0].at is "1s", want a time within the duration of 900ms'
    ]
    assert faults_of(EXAMPLES[kind] + 'for = "1s"\n') == ["lift.toml: fault[0].for is unknown"]


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        ("server-restart", "server-freeze", "fault of the server's process"),
        ("client-freeze", "tab-closed", "fault of the client's process"),
        ("tab-closed", "client-freeze", "fault of the client's process"),
        ("checks-blocked", "checks-blocked", "checks-blocked"),
        ("handover", "handover", "handover"),
        ("signalling", "signalling", "signalling"),
        ("turn-server-down", "turn-server-down", "turn-server-down"),
    ],
)
def test_faults_of_the_same_thing_may_not_overlap(one, other, what):
    assert faults_of(ICE + EXAMPLES[one] + EXAMPLES[other].replace('"1s"', '"2s"')) == [
        f'lift.toml: fault[1].at is "2s", want no overlap with fault[0], another {what}'
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (EXAMPLES["server-freeze"], EXAMPLES["client-freeze"]),
        (EXAMPLES["no-candidates"], EXAMPLES["no-candidates"].replace('"up"', '"down"')),
        (EXAMPLES["signalling"], EXAMPLES["signalling"].replace("POST", "PATCH")),
        (EXAMPLES["signalling"], EXAMPLES["signalling"].replace("nth = 2", "nth = 3")),
        (EXAMPLES["rebind"], EXAMPLES["rebind"]),
    ],
)
def test_faults_of_different_things_may(one, other):
    assert len(load(one + other, "a.toml").faults) == 2


def test_faults_of_stun_stand_before_all_other_stages():
    in_order = ["consent-blocked", "checks-blocked", "responses-blocked", "bad-integrity", "blackout"]
    text = "".join(EXAMPLES[kind] for kind in reversed(in_order))
    for link in links(Scenario.of(load(text, "a.toml"))).values():
        names = [stage.name for stage in link.stages]
        assert names[:5] == [
            "consent-blocked",
            "checks-blocked",
            "responses-blocked",
            "bad-integrity",
            "blackout",
        ]


def test_a_direction_leaves_the_other_alone():
    text = EXAMPLES["checks-blocked"] + 'direction = "down"\n'
    named = {way: link.stages[0].name for way, link in links(Scenario.of(load(text, "a.toml"))).items()}
    assert named["down"] == "checks-blocked"
    assert named["up"] != "checks-blocked"


NAT = '[nat]\nmapping = "address-dependent"\nfiltering = "address-and-port-dependent"\ntimeout = "30s"\n'


def test_the_nat_in_the_terms_of_the_core():
    assert load("", "a.toml").nat is None
    assert load("[nat]", "a.toml").nat.spec() == NatSpec()
    spec = load(NAT + "preserve_port = false\nhairpin = true\n", "a.toml").nat.spec()
    assert spec == NatSpec(
        Dependence.ADDRESS_DEPENDENT,
        Dependence.ADDRESS_AND_PORT_DEPENDENT,
        timeout_s=30.0,
        preserve_port=False,
        hairpin=True,
    )
    scenario = Scenario.of(load(NAT, "a.toml"))
    assert Scenario.of(load(scenario.to_toml(), "scenario.toml")) == scenario


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[nat]\nmapping = "cone"', 'nat.mapping is "cone", want one of "endpoint-independent"'),
        ('[nat]\ntimeout = "0s"', 'nat.timeout is "0s", want more than 0'),
        ("[nat]\nmaping = 1", 'nat.maping is unknown, did you mean "mapping"?'),
        ("nat = 1", "nat is 1, want a table"),
    ],
)
def test_a_wrong_nat(text, told):
    (found,) = faults_of(text)
    assert found.startswith(f"lift.toml: {told}")


def test_a_fault_that_rebinds_brings_a_nat_of_its_own():
    rebinds = '[[fault]]\nkind = "rebind"\nat = "1s"\n'
    assert load("", "a.toml").nat_spec is None
    assert load(rebinds, "a.toml").nat_spec == NatSpec()
    own = load('[nat]\ntimeout = "9s"\n' + rebinds, "a.toml").nat_spec
    assert own == NatSpec(timeout_s=9.0)


@pytest.mark.parametrize(
    ("ice", "kinds"),
    [
        ("", ["stun", "turn"]),
        ('[ice]\nservers = ["stun"]\n', ["turn"]),
        ('[ice]\nservers = ["turn"]\n', ["stun"]),
    ],
)
def test_a_server_that_is_not_there_cannot_be_down(ice, kinds):
    text = ice + EXAMPLES["stun-server-down"] + EXAMPLES["turn-server-down"]
    places = {"stun": 0, "turn": 1}
    assert faults_of(text) == [
        f'lift.toml: fault[{places[kind]}].kind is "{kind}-server-down", '
        f'want a server "{kind}" in the table [ice]'
        for kind in kinds
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('servers = ["stun", "turm"]', 'ice.servers[1] is "turm", did you mean "turn"?'),
        ("servers = []", "ice.servers: want at least one"),
        ('servers = ["turn", "turn"]', "ice.servers: want each once"),
        ('servers = ["stun"]\npolicy = "relay"', 'ice.servers: want "turn" among them, as the policy is'),
        ('used_by = ["both"]', 'ice.used_by[0] is "both", want one of "client", "server"'),
        ('policy = "none"', 'ice.policy is "none", want one of "all", "relay"'),
        ('lifetime = "1.5s"', 'ice.lifetime is "1.5s", want whole seconds, 24 hours or less'),
        ('lifetime = "25h"', 'ice.lifetime is "25h", want whole seconds, 24 hours or less'),
        ('permission_lifetime = "0s"', 'ice.permission_lifetime is "0s", want more than 0'),
        ("quota = -1", "ice.quota is -1, want 0 or more"),
        ('password = ""', 'ice.password is "", want at least one letter'),
        ('[ice.told]\npasword = "x"', 'ice.told.pasword is unknown, did you mean "password"?'),
        ('realm = "x"', "ice.realm is unknown"),
    ],
)
def test_wrong_ice_servers(text, told):
    (found,) = faults_of(f"[ice]\n{text}\n")
    assert found.startswith(f"lift.toml: {told}")
