"""A token bucket of tc's beside netem: ``tbf rate 1mbit burst 32kbit latency 400ms``.

Source: the manual page tc-tbf(8), and tc/q_tbf.c of iproute2.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from simlab.profile.importers.netem_options import Netem
from simlab.profile.importers.netem_values import bytes_of, bytes_per_s_of, time_of
from simlab.profile.importers.netem_words import Words
from simlab.profile.nearest import one_of, quoted
from simlab.profile.units import rate_text

_LEFT_OUT = ("peakrate", "mtu", "minburst", "mpu", "overhead", "linklayer")
_KNOWN = ("rate", "burst", "buffer", "maxburst", "limit", "latency", *_LEFT_OUT)


@dataclass
class _Bucket:
    bytes_per_s: float | None = None
    burst_bytes: int | None = None
    limit_bytes: int | None = None
    latency_s: float | None = None
    left_out: list[str] = field(default_factory=list)


def add_bucket(options: Sequence[str], netem: Netem) -> None:
    """Read the options of a token bucket into what netem's come to.

    Raises
    ------
    ValueError
        If they are wrong, or netem has a rate of its own.
    """
    if "rate" in netem.link:
        raise ValueError("is a rate beside that of netem, which no profile has; want one of them")
    bucket, words = _Bucket(), Words(options)
    while words:
        _option(words, bucket)
    if bucket.bytes_per_s is None or bucket.burst_bytes is None:
        raise ValueError("tbf wants a rate and a burst")
    queue_bytes = bucket.limit_bytes
    if queue_bytes is None and bucket.latency_s is not None:
        queue_bytes = int(bucket.bytes_per_s * bucket.latency_s) + bucket.burst_bytes
    if queue_bytes is None:
        raise ValueError("tbf wants a limit or a latency")
    netem.link["rate"] = {
        "model": "token-bucket",
        "rate": rate_text(bucket.bytes_per_s),
        "burst": f"{bucket.burst_bytes}B",
    }
    netem.link["queue"] = f"{queue_bytes}B"
    netem.notes.append(
        "tbf: a packet counts as its IP datagram, the payload and 28 bytes; tbf adds the Ethernet header. "
        "A latency is a queue of the bytes that leave in it, and the burst."
    )
    netem.notes += [f"{word} of tbf has no equivalent, and is left out." for word in bucket.left_out]


def _option(words: Words, bucket: _Bucket) -> None:
    word = words.next("")
    if word == "rate":
        bucket.bytes_per_s = words.value("rate", bytes_per_s_of)
    elif word in ("burst", "buffer", "maxburst"):
        # A second number is the size of a cell, as in "burst 15k/8".
        bucket.burst_bytes = words.value(word, lambda text: bytes_of(text.partition("/")[0]))
    elif word == "limit":
        bucket.limit_bytes = words.value(word, bytes_of)
    elif word == "latency":
        bucket.latency_s = words.value(word, time_of)
    elif word in _LEFT_OUT:
        words.next(f"a value of {word}")
        bucket.left_out.append(word)
    else:
        raise ValueError(f"{quoted(word)} is no option of tbf, {one_of(word, list(_KNOWN))}")
