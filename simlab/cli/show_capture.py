"""The summary of a capture, as text."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import simlab.capture
from simlab.study.words import count


def told(found: dict[str, Any], path: Path, keys: Path | None) -> Iterator[str]:
    """Yield the lines."""
    yield f"{found['comment'] or path}: {found['duration_s']:.3f} s"
    if found["is_cut"]:
        yield "  The file breaks off: it was being written when its writer was killed."
    if found["lost"]:
        yield f"  {count(found['lost'], 'packet')} missing: they came faster than they could be written."
    yield from _interfaces(found)
    yield from _links(found)
    for connection in found["connections"]:
        yield from _connection(connection, keys)
    yield from _streams(found)
    yield ""
    yield f"In Wireshark: {_command(path, keys)}"


def _interfaces(found: dict[str, Any]) -> Iterator[str]:
    for name, interface in found["interfaces"].items():
        if not interface["packets"]:
            continue
        yield f"  {name}: {count(interface['packets'], 'packet')}, {interface['bytes']} bytes"
        for kind, one in interface["classes"].items():
            yield f"    {kind:<16}{one['packets']:>8}{one['bytes']:>12} bytes"


def _links(found: dict[str, Any]) -> Iterator[str]:
    for way, link in found["links"].items():
        said = f"  {way}: {link['offered']} offered, {link['delivered']} delivered"
        for what in ("dropped", "injected"):
            if link[what]:
                said += f", {what}: {_counts(link[what])}"
        yield said


def _connection(one: dict[str, Any], keys: Path | None) -> Iterator[str]:
    sent, ends = one["packets"], f"{one['client']} - {one['server']}"
    yield (
        f"  {one['interface']}: {ends}, {one['first_s']:.3f} - {one['last_s']:.3f} s, "
        f"{count(sent.get('up', 0), 'packet')} up, {sent.get('down', 0)} down"
    )
    if one["usernames"]:
        yield f"    ICE {', '.join(one['usernames'])}"
    for what in ("stun", "rtcp"):
        if one[what]:
            yield f"    {what.upper()}: {_counts(one[what])}"
    for handshake in one["dtls"]:
        yield f"    DTLS {_handshake(handshake)}"
    for way, chunks in one["sctp"].items():
        if chunks:
            yield f"    SCTP {way}: {_counts(chunks)}"
    if one["unread"]:
        why = "no keys" if keys is None else "no keys for them, or not genuine"
        yield f"    SCTP: {count(one['unread'], 'DTLS record')} not read ({why})"


def _handshake(one: dict[str, Any]) -> str:
    done = "not finished" if one["done_s"] is None else f"done at {one['done_s']:.3f} s"
    said = f"from {one['began_s']:.3f} s, {done}, {one['cipher'] or 'no cipher'}"
    return said + (f", alerts: {_counts(one['alerts'])}" if one["alerts"] else "")


def _streams(found: dict[str, Any]) -> Iterator[str]:
    for one in found["rtp"]:
        clock, jitter_s = one["clock_hz"], one["jitter_s"]
        packets = count(one["packets"], "packet")
        timing = "" if clock is None else f", jitter {jitter_s * 1000:.1f} ms (if its clock is {clock} Hz)"
        yield (
            f"  RTP {one['direction']} at {one['interface']}: ssrc {one['ssrc']:#010x}, type "
            f"{one['payload_type']}, {packets}, {one['missing']} of {one['expected']} missing"
            f"{timing}"
        )


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{what} {count}" for what, count in counts.items())


def _command(path: Path, keys: Path | None) -> str:
    script = Path(simlab.capture.__file__).with_name("webrtc.lua")
    secrets = () if keys is None else ("-o", f"tls.keylog_file:{keys}")
    return shlex.join(["wireshark", "-X", f"lua_script:{script}", *secrets, str(path)])
