"""What is injected goes just before its carrier, when it is due, and as often as it is to."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from simlab.core.inject import Injected, InjectSpec, InjectStage, Replay
from simlab.core.link import Link
from simlab.core.packet import Packet, PacketClass

STUN = b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)
RTP = b"\x80\x60" + bytes(30)


def forged(
    what="dtls-alert", at_s=0.0, every_s=0.0, count=1, carriers=None, forge=lambda _, __: b"\x15forged"
):
    return InjectSpec(what, at_s, every_s, count, carriers, forge)


def through(specs, sent):
    """Return when what left the link, and whether nobody had sent it."""
    link = Link([InjectStage(specs)])
    out = []
    for at_s, payload in sent:
        link.receive(payload, at_s, tag="flow")
        out += [
            (p.sent_s, bytes(p.payload), getattr(p.payload, "injected", None)) for p in link.release(at_s)
        ]
    return out, link


def test_the_first_carrier_at_the_time_or_later_is_preceded_by_it():
    out, link = through([forged(at_s=2.0)], [(1.0, RTP), (2.5, RTP), (3.0, RTP)])
    assert out == [(1.0, RTP, None), (2.5, b"\x15forged", "dtls-alert"), (2.5, RTP, None), (3.0, RTP, None)]
    assert (link.offered, link.delivered) == (3, 4)


def test_it_has_the_class_of_its_own_bytes_and_the_way_of_its_carrier():
    link = Link([InjectStage([forged()])])
    link.receive(RTP, 0.0, tag="flow")
    first, second = link.release(0.0)
    assert (first.kind, first.tag, first.seq) == (PacketClass.DTLS_HANDSHAKE, "flow", 0)
    assert (second.kind, second.tag, second.seq) == (PacketClass.RTP, "flow", 0)


def test_only_carriers_of_the_classes_carry():
    spec = forged(carriers=frozenset({PacketClass.STUN_REQUEST}))
    out, _ = through([spec], [(0.0, RTP), (1.0, STUN), (2.0, STUN)])
    assert [injected for *_, injected in out] == [None, "dtls-alert", None, None]


@given(st.integers(1, 20), st.floats(0.01, 3), st.lists(st.floats(0, 20), max_size=60).map(sorted))
def test_there_are_never_more_than_asked_for_nor_sooner_after_each_other(count, every_s, times_s):
    out, _ = through([forged(every_s=every_s, count=count)], [(at_s, RTP) for at_s in times_s])
    at_s = [at for at, _, injected in out if injected]
    # The second method: walk over the times.
    wanted, next_s = [], 0.0
    for time_s in times_s:
        if len(wanted) < count and time_s >= next_s:
            wanted.append(time_s)
            next_s = time_s + every_s
    assert at_s == wanted
    assert [payload for _, payload, injected in out if not injected] == [RTP] * len(times_s)


def test_a_replay_is_the_oldest_of_the_last_fifty_of_the_flow():
    replay = Replay()

    def packet(flow):
        return Packet(0, 0.0, RTP, PacketClass.RTP, SimpleNamespace(flow=flow))

    assert replay(packet("a"), b"0") is None
    assert replay(packet("b"), b"other") is None
    assert [replay(packet("a"), b"%d" % n) for n in range(1, 50)] == [b"0"] * 49
    assert [replay(packet("a"), b"%d" % n) for n in (50, 51)] == [b"0", b"1"]


def test_injected_bytes_say_what_they_are():
    made = Injected(b"abc", "replay")
    assert (made, made.injected, made[:1]) == (b"abc", "replay", b"a")
