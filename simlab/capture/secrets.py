"""DTLS 1.2 records, and what is in them for those who have the master secret.

Source: RFC 6347 section 4.1 (records), RFC 5246 section 6.3 (keys), RFC 5288 (AES-GCM), RFC 7905 (ChaCha20).
"""

import os
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from scapy.layers.tls.crypto.prf import PRF
from scapy.layers.tls.crypto.suites import _tls_cipher_suites

from simlab.core.errors import InvalidInputError

_HEADER_BYTES = 13
_TLS_1_2 = 0x0303
_TAG_BYTES, _EXPLICIT_BYTES = 16, 8
_AES_128_GCM, _CHACHA20 = 0xC02B, 0xCCA9

_Cipher = AESGCM | ChaCha20Poly1305
_SHAPES: dict[int, tuple[Callable[[bytes], _Cipher], int, int]] = {
    _AES_128_GCM: (AESGCM, 16, 4),
    _CHACHA20: (ChaCha20Poly1305, 32, 12),
}
"""What makes a cipher, how many bytes of key it takes, and how many of a nonce are fixed."""


class DtlsRecord(NamedTuple):
    """A record; ``number`` has the epoch in its upper 16 bits."""

    kind: int
    version: int
    number: int
    body: bytes

    @property
    def epoch(self) -> int:
        """0 until the keys are there."""
        return self.number >> 48


def records_of(payload: bytes) -> Iterator[DtlsRecord]:
    """Yield the records of a datagram, as far as they are whole."""
    while len(payload) >= _HEADER_BYTES:
        kind, version, number, size = struct.unpack_from("!BHQH", payload)
        body = payload[_HEADER_BYTES : _HEADER_BYTES + size]
        if len(body) < size:
            return
        yield DtlsRecord(kind, version, number, body)
        payload = payload[_HEADER_BYTES + size :]


def master_secrets(path: Path) -> dict[bytes, bytes]:
    """Read a key log of NSS, and return the master secrets by client random.

    Raises
    ------
    InvalidInputError
        If it cannot be read, or one of its lines is wrong.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise InvalidInputError([f"{path}: {os.strerror(error.errno or 0).lower()}"]) from error
    except UnicodeDecodeError as error:
        raise InvalidInputError([f"{path}: not a key log: it is not ASCII"]) from error
    found: dict[bytes, bytes] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split()
        try:
            label, random, secret = words[0], *map(bytes.fromhex, words[1:])
        except ValueError:
            raise InvalidInputError([f"{path}: line {number}: not a line of a key log"]) from None
        if label == "CLIENT_RANDOM":
            found[random] = secret
    return found


def suite_name(number: int) -> str:
    """Return what a cipher suite is called."""
    return str(_tls_cipher_suites.get(number, f"{number:#06x}"))


@dataclass(frozen=True)
class Keys:
    """What decrypts the records of one connection.

    Parameters
    ----------
    of_client, of_server
        A cipher for what each of them writes, and the fixed part of its nonces.
    """

    suite: int
    of_client: tuple[_Cipher, bytes]
    of_server: tuple[_Cipher, bytes]

    @staticmethod
    def of(
        secrets: Mapping[bytes, bytes], client_random: bytes, server_random: bytes, suite: int
    ) -> "Keys | None":
        """Derive them; None if the secret is not known, or the suite is none of the two that are."""
        secret, shape = secrets.get(client_random), _SHAPES.get(suite)
        if secret is None or shape is None:
            return None
        make, key_bytes, iv_bytes = shape
        prf: Any = PRF(hash_name="SHA256", tls_version=_TLS_1_2)  # type: ignore[no-untyped-call]
        block = prf.derive_key_block(secret, server_random, client_random, 2 * (key_bytes + iv_bytes))
        keys, ivs = block[: 2 * key_bytes], block[2 * key_bytes :]
        return Keys(
            suite,
            (make(keys[:key_bytes]), ivs[:iv_bytes]),
            (make(keys[key_bytes:]), ivs[iv_bytes:]),
        )

    def decrypted(self, record: DtlsRecord, by_client: bool) -> bytes | None:
        """Return what is in a record of the first epoch with keys; None if it is not genuine."""
        cipher, fixed = self.of_client if by_client else self.of_server
        body, number = record.body, record.number.to_bytes(8)
        explicit = _EXPLICIT_BYTES if self.suite == _AES_128_GCM else 0
        if explicit:
            nonce = fixed + body[:explicit]
        else:
            nonce = bytes(a ^ b for a, b in zip(fixed, bytes(4) + number, strict=True))
        size = len(body) - explicit - _TAG_BYTES
        if size < 0:
            return None
        about = number + struct.pack("!BHH", record.kind, record.version, size)
        try:
            return cipher.decrypt(nonce, body[explicit:], about)
        except InvalidTag:
            return None
