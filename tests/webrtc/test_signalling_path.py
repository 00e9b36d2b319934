"""Which fault a request meets."""

import pytest

from simlab.core.packet import Direction
from simlab.profile.load import load
from simlab.webrtc.signalling_path import FaultPicker, Path

UP, DOWN = Direction.UP, Direction.DOWN


def path(*faults, head=""):
    return Path.of(load(head + "".join(f"[[fault]]\n{fault}\n" for fault in faults), "a.toml"))


def fault(kind, at="1s", lasts="4s", **keys):
    lines = [f'kind = "{kind}"', f'at = "{at}"', f'for = "{lasts}"']
    return "\n".join([*lines, *(f"{key} = {value!r}" for key, value in keys.items())])


def picked(picker, *requests):
    """Return what each (method, time) meets."""
    faults = [picker.pick(method, at_s) for method, at_s in requests]
    return [None if fault is None else fault.how.text for fault in faults]


def test_a_fault_meets_the_requests_of_its_time():
    picker = FaultPicker(path(fault("signalling", how="reset")).faults)
    times_s = (0.9, 1.0, 4.9, 5.0)
    assert picked(picker, *(("POST", at_s) for at_s in times_s)) == [None, "reset", "reset", None]


def test_only_requests_of_a_method():
    picker = FaultPicker(path(fault("signalling", how="hang", method="PATCH")).faults)
    assert picked(picker, ("POST", 2.0), ("PATCH", 2.0)) == [None, "hang"]


def test_only_the_nth_within_the_fault():
    picker = FaultPicker(path(fault("signalling", how="hang", method="POST", nth=2)).faults)
    requests = [("POST", 0.5), ("POST", 2.0), ("PATCH", 2.1), ("POST", 2.2), ("POST", 2.3)]
    assert picked(picker, *requests) == [None, None, None, "hang", None]


def test_each_fault_counts_for_itself():
    one = fault("signalling", how="hang", nth=1)
    two = fault("signalling", how="reset", nth=2)
    picker = FaultPicker(path(one, two).faults)
    assert picked(picker, *[("POST", 2.0)] * 3) == ["hang", "reset", None]


def test_the_delays_are_those_of_the_link_or_its_own():
    link = '[link]\ndelay = "20ms"\n[link.down]\ndelay = "30ms"\n'
    assert (path(head=link).delay_up_s, path(head=link).delay_down_s) == (0.020, 0.030)
    own = path(head=link + '[signalling]\ndelay = "5ms"\n')
    assert (own.delay_up_s, own.delay_down_s) == (0.005, 0.005)


@pytest.mark.parametrize(("at_s", "there"), [(0.9, False), (1.0, True), (4.9, True), (5.0, False)])
def test_failures_of_ice_at_their_time_and_in_their_direction(at_s, there):
    tampers = path(fault("no-candidates", direction="up")).tampers_at(at_s)
    assert tampers.has("no-candidates", UP) == there
    assert not tampers.has("no-candidates", DOWN)
    assert not tampers.has("wrong-candidates", UP)


def test_late_candidates_by_direction():
    tampers = path(fault("candidates-late", by="3s", direction="down")).tampers_at(2.0)
    assert (tampers.late_by_s(UP), tampers.late_by_s(DOWN)) == (0, 3.0)


def test_what_a_lost_patch_is_answered():
    assert path(fault("patch-lost", status=504)).tampers_at(2.0).lost_patch_status() == 504
    assert path(fault("patch-lost")).tampers_at(2.0).lost_patch_status() == 200
    assert path(fault("patch-lost")).tampers_at(0.0).lost_patch_status() is None


def test_a_handover_cuts_requests_off():
    cut = path(fault("handover"))
    assert [cut.is_cut_at(at_s) for at_s in (0.9, 1.0, 4.9, 5.0)] == [False, True, True, False]
