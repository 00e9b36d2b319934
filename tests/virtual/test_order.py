from aiortc import RTCRtpReceiver

from simlab.virtual.order import numbered_members


class Stopped:
    """What a receiver asks of its transport."""

    state = "new"


def test_a_set_of_receivers_is_gone_through_in_the_order_of_its_making():
    with numbered_members():
        receivers = [RTCRtpReceiver("audio", Stopped()) for _ in range(30)]
        # 30 of them in this order by chance: 1 in 30!
        assert list(set(receivers)) == receivers


def test_afterwards_objects_have_their_own_hash_again():
    with numbered_members():
        pass
    assert RTCRtpReceiver.__hash__ is object.__hash__
