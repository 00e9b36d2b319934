"""Long-term credentials: who may have an allocation, and nonces that go stale.

Source: RFC 8489 section 9.2; of the two integrities MESSAGE-INTEGRITY alone, which is what TURN clients send.
"""

import hashlib
import hmac
from dataclasses import dataclass

from aioice import turn

from simlab.webrtc.iceserver.codec import Received

_CREDENTIALS = ("USERNAME", "REALM", "NONCE")


@dataclass(frozen=True)
class Verdict:
    """What became of a request's credentials.

    Parameters
    ----------
    code
        The error to answer with; None if they are right.
    key
        What to sign the response with; None if they are not known to be right.
    """

    code: int | None
    key: bytes | None = None


class Guard:
    """Check the credentials of requests.

    Parameters
    ----------
    passwords
        By user name.
    nonce_lifetime_s
        How long a nonce may be used.
    secret
        What nonces are made with: a server that has another one takes none of this one's.
    """

    def __init__(self, realm: str, passwords: dict[str, str], nonce_lifetime_s: float, secret: bytes) -> None:
        self.realm = realm
        self._keys = {
            name: turn.make_integrity_key(name, realm, password) for name, password in passwords.items()
        }
        self._nonce_lifetime_s = nonce_lifetime_s
        self._secret = secret

    def nonce(self, now_s: float) -> bytes:
        """Return a nonce: when it was made, and a proof that it was made here."""
        made = f"{now_s:.6f}"
        return f"{made}-{self._proof(made)}".encode()

    def _proof(self, made: str) -> str:
        return hmac.new(self._secret, made.encode(), hashlib.sha256).hexdigest()[:16]

    def _is_fresh(self, nonce: bytes, now_s: float) -> bool:
        made, _, proof = nonce.decode("ascii", "replace").partition("-")
        if not hmac.compare_digest(proof.encode(), self._proof(made).encode()):
            return False
        return now_s - float(made) < self._nonce_lifetime_s

    def verdict(self, received: Received, now_s: float) -> Verdict:
        """Judge a request, in the order of RFC 8489 section 9.2.4."""
        message = received.message
        if "MESSAGE-INTEGRITY" not in message.attributes:
            return Verdict(401)
        if any(name not in message.attributes for name in _CREDENTIALS):
            return Verdict(400)
        key = self._keys.get(message.attributes["USERNAME"])
        if key is None or not message.check_message_integrity(key):
            return Verdict(401)
        if not self._is_fresh(message.attributes["NONCE"], now_s):
            return Verdict(438)
        return Verdict(None, key)
