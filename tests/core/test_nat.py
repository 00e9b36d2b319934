"""The NAT against the tables and requirements of RFC 4787."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlab.core.nat import Dependence, Nat, NatSpec

EI = Dependence.ENDPOINT_INDEPENDENT
AD = Dependence.ADDRESS_DEPENDENT
APD = Dependence.ADDRESS_AND_PORT_DEPENDENT
ALL = list(product(Dependence, Dependence))

OUTSIDE = "198.51.100.1"
X = ("10.0.0.2", 5000)
X_OTHER_PORT = ("10.0.0.2", 5001)
OTHER_HOST = ("10.0.0.3", 5000)
Y1 = ("192.0.2.1", 1000)
Y1_OTHER_PORT = ("192.0.2.1", 1001)
Y2 = ("192.0.2.2", 1000)

INSIDES = st.tuples(st.sampled_from(["10.0.0.2", "10.0.0.3"]), st.integers(5000, 5003))
REMOTES = st.tuples(st.sampled_from(["192.0.2.1", "192.0.2.2"]), st.integers(1000, 1002))
SPECS = st.builds(
    NatSpec,
    mapping=st.sampled_from(Dependence),
    filtering=st.sampled_from(Dependence),
    timeout_s=st.sampled_from([1.0, 30.0, 120.0]),
    inbound_refreshes=st.booleans(),
    preserve_port=st.booleans(),
)
TRAFFIC = st.lists(st.tuples(INSIDES, REMOTES, st.floats(0, 20)), min_size=1, max_size=30)


def nat(**keys):
    return Nat(NatSpec(**keys), OUTSIDE)


def dependence_of(one, other):
    """Tell how two remote endpoints differ: 0 not at all, 1 by the port, 2 by the address."""
    return 2 if one[0] != other[0] else int(one != other)


# Section 4.1: whether X1':x1' equals X2':x2' for Y1:y1 and Y2:y2, by how these differ.
SAME_MAPPING = {EI: (True, True, True), AD: (True, True, False), APD: (True, False, False)}
# Section 5: whether a packet gets in from an endpoint that differs so from the one that was sent to.
LET_IN = SAME_MAPPING


@pytest.mark.parametrize("mapping", Dependence)
@pytest.mark.parametrize("other", [Y1, Y1_OTHER_PORT, Y2])
def test_the_table_of_mappings(mapping, other):
    box = nat(mapping=mapping)
    first = box.outbound(X, Y1, 0.0)
    assert (box.outbound(X, other, 0.0) == first) == SAME_MAPPING[mapping][dependence_of(Y1, other)]


@pytest.mark.parametrize(("mapping", "filtering"), ALL)
@pytest.mark.parametrize("other", [Y1, Y1_OTHER_PORT, Y2])
def test_the_table_of_filters(mapping, filtering, other):
    box = nat(mapping=mapping, filtering=filtering)
    outside = box.outbound(X, Y1, 0.0)
    let_in = box.inbound(outside, other, 1.0)
    assert let_in == (X if LET_IN[filtering][dependence_of(Y1, other)] else None)


def test_an_inside_endpoint_keeps_its_port_if_it_is_free():
    box = nat()
    assert box.outbound(X, Y1, 0.0) == (OUTSIDE, 5000)
    assert box.outbound(X_OTHER_PORT, Y1, 0.0) == (OUTSIDE, 5001)
    assert box.outbound(OTHER_HOST, Y1, 0.0) == (OUTSIDE, 1024)


def test_without_preservation_ports_are_given_out_in_order():
    box = nat(preserve_port=False)
    assert [box.outbound(x, Y1, 0.0)[1] for x in (X, X_OTHER_PORT, X, OTHER_HOST)] == [1024, 1025, 1024, 1026]


def test_a_mapping_lives_for_its_timeout_after_the_last_packet_from_inside():
    box = nat(timeout_s=30.0, preserve_port=False)
    first = box.outbound(X, Y1, 0.0)
    assert box.outbound(X, Y1, 29.5) == first  # REQ-6
    assert box.inbound(first, Y1, 59.0) == X
    assert box.inbound(first, Y1, 59.5) is None
    assert box.outbound(X, Y1, 59.5) != first


def test_packets_from_outside_keep_it_alive_only_if_they_may():
    keeps, forgets = nat(timeout_s=30.0, inbound_refreshes=True), nat(timeout_s=30.0)
    for box in (keeps, forgets):
        outside = box.outbound(X, Y1, 0.0)
        box.inbound(outside, Y1, 20.0)
    assert keeps.inbound(outside, Y1, 40.0) == X
    assert forgets.inbound(outside, Y1, 40.0) is None


def test_a_hole_for_one_remote_endpoint_closes_though_others_keep_the_mapping():
    box = nat(filtering=APD, timeout_s=30.0)
    outside = box.outbound(X, Y1, 0.0)
    box.outbound(X, Y2, 20.0)
    assert box.inbound(outside, Y2, 35.0) == X
    assert box.inbound(outside, Y1, 35.0) is None


def test_a_hairpin_comes_from_the_outside_endpoint():
    # REQ-9a.
    box = nat(hairpin=True)
    outside = box.outbound(X, Y1, 0.0)
    assert box.hairpinned(OTHER_HOST, outside, 1.0) == ((OUTSIDE, 1024), X)
    assert box.hairpinned(OTHER_HOST, (OUTSIDE, 9), 1.0) is None
    assert nat().hairpinned(OTHER_HOST, outside, 1.0) is None


def test_a_hairpin_passes_the_filter_too():
    box = nat(hairpin=True, filtering=APD)
    outside = box.outbound(X, Y1, 0.0)
    assert box.hairpinned(OTHER_HOST, outside, 1.0) is None
    other = box.outbound(OTHER_HOST, Y1, 1.0)
    box.outbound(X, other, 1.0)
    assert box.hairpinned(OTHER_HOST, outside, 1.0) == (other, X)


def test_one_to_one_translates_the_address_alone():
    box = nat(one_to_one=True, filtering=APD, timeout_s=1.0)
    assert box.inbound((OUTSIDE, 7), Y1, 0.0) is None  # nobody is known yet
    assert box.outbound(X, Y1, 0.0) == (OUTSIDE, 5000)
    assert box.inbound((OUTSIDE, 5000), Y2, 1e6) == X
    assert box.inbound((OUTSIDE, 7), Y2, 1e6) == ("10.0.0.2", 7)
    with pytest.raises(ValueError, match="one-to-one"):
        box.outbound(OTHER_HOST, Y1, 0.0)


def test_rebinding_of_ports_gives_every_mapping_another_port():
    box = nat()
    old = box.outbound(X, Y1, 0.0)
    box.rebind_ports()
    assert box.inbound(old, Y1, 0.0) is None
    new = box.outbound(X, Y1, 0.0)
    assert new == (OUTSIDE, 1024)
    assert box.inbound(new, Y1, 0.0) == X
    assert box.inbound(old, Y1, 0.0) is None


def test_rebinding_of_the_address_keeps_the_port_where_that_is_preserved():
    box = nat()
    old = box.outbound(X, Y1, 0.0)
    box.rebind_address("198.51.100.2")
    assert box.inbound(old, Y1, 0.0) is None
    assert box.outbound(X, Y1, 0.0) == ("198.51.100.2", 5000)
    assert box.inbound(old, Y1, 0.0) is None


def test_a_timeout_of_nothing_is_refused():
    with pytest.raises(ValueError, match="0 s"):
        NatSpec(timeout_s=0.0)


def test_every_port_may_be_taken():
    box = nat(mapping=APD, preserve_port=False)
    for port in range(1024, 65536):
        box.outbound(X, ("192.0.2.1", port), 0.0)
    with pytest.raises(ValueError, match="every port"):
        box.outbound(X, Y2, 0.0)
    assert box.outbound(X, Y2, 120.0) == (OUTSIDE, 1024)


def played(spec, traffic):
    """Send packets one after the other, and return for each the moment, whence, where to, and as whom."""
    box, now_s, out = Nat(spec, OUTSIDE), 0.0, []
    for inside, remote, wait_s in traffic:
        now_s += wait_s
        out.append((now_s, inside, remote, box.outbound(inside, remote, now_s)))
    return box, now_s, out


@given(SPECS, TRAFFIC)
def test_who_was_just_sent_to_can_always_answer(spec, traffic):
    box, now_s, out = played(spec, traffic)
    _, inside, remote, outside = out[-1]
    assert box.inbound(outside, remote, now_s) == inside


@given(SPECS, TRAFFIC, REMOTES)
def test_whatever_gets_in_gets_to_the_one_whose_outside_endpoint_it_was_sent_to(spec, traffic, remote):
    box, now_s, out = played(spec, traffic)
    for _, _, _, outside in out:
        to = box.inbound(outside, remote, now_s)
        owners = [(at_s, inside) for at_s, inside, _, seen in out if seen == outside]
        assert to in (None, owners[-1][1])


@given(SPECS, TRAFFIC, REMOTES)
def test_a_stricter_filter_lets_in_nothing_more(spec, traffic, remote):
    def let_in(filtering):
        keys = {name: getattr(spec, name) for name in ("mapping", "timeout_s", "preserve_port")}
        box, now_s, out = played(NatSpec(filtering=filtering, **keys), traffic)
        return {outside for *_, outside in out if box.inbound(outside, remote, now_s) is not None}

    assert let_in(APD) <= let_in(AD) <= let_in(EI)


@given(SPECS, TRAFFIC)
def test_two_inside_endpoints_never_share_an_outside_one_at_a_time(spec, traffic):
    box, now_s, _ = played(spec, traffic)
    seen = {}
    for inside, remote, _ in traffic:
        outside = box.outbound(inside, remote, now_s)
        assert seen.setdefault(outside, inside) == inside


@given(SPECS, TRAFFIC)
def test_mappings_depend_on_no_more_than_they_may(spec, traffic):
    box, now_s, _ = played(spec, traffic)
    outsides = {}
    for inside, remote, _ in traffic:
        key = (inside, spec.mapping.part_of(remote))
        assert outsides.setdefault(key, box.outbound(inside, remote, now_s)) == box.outbound(
            inside, remote, now_s
        )


@given(SPECS, TRAFFIC, REMOTES)
def test_nothing_gets_in_after_the_timeout(spec, traffic, remote):
    box, now_s, out = played(spec, traffic)
    after_s = now_s + spec.timeout_s + 1e-6  # more than the sum is rounded by
    assert all(box.inbound(outside, remote, after_s) is None for *_, outside in out)
