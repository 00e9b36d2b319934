"""Failures of ICE, each by its name: candidates that are missing, wrong or late, checks that fail.

Most are done to what passes the signalling proxy, so that they work with any client and any server; the
rest are done to STUN packets in the links.
"""

from typing import Literal

from pydantic import Field

from simlab.profile.faults_base import DirectedFault, TimedFault
from simlab.profile.fields import PositiveDuration

IceKind = Literal[
    "no-candidates",
    "wrong-candidates",
    "mdns-unresolvable",
    "ufrag-stale",
    "checks-blocked",
    "responses-blocked",
    "consent-blocked",
    "bad-integrity",
]


class IceFault(DirectedFault):
    """A failure of ICE that has nothing to be set but its direction.

    In the signalling, to what is said while the fault lasts:

    - ``no-candidates``: no description and no PATCH carries a candidate.
    - ``wrong-candidates``: they do, of an address where nobody is.
    - ``mdns-unresolvable``: they do, of ``.local`` names that nobody resolves.
    - ``ufrag-stale``: descriptions carry the ICE credentials of an earlier one.

    In the links:

    - ``checks-blocked``: STUN requests are dropped.
    - ``responses-blocked``: STUN success responses are dropped.
    - ``consent-blocked``: STUN is dropped on flows that DTLS has used, and on no others: ICE connects, and
      then loses consent.
    - ``bad-integrity``: STUN arrives with a MESSAGE-INTEGRITY that is wrong.
    """

    kind: IceKind


class RoleConflictFault(TimedFault):
    """Both sides believe to be controlling: offers say that they come from an ICE-lite client.

    A full agent that hears so takes the controlling role, which the client has already (RFC 8445 section
    6.1.1). The agents find out from each other's checks and settle it with error 487 (section 7.3.1.1).
    Nobody but the peers can make a 487 or change a check's role, as the integrity of STUN covers both.
    """

    kind: Literal["role-conflict"]


class CandidatesLateFault(DirectedFault):
    """Candidates arrive later than they could.

    PATCHes and the candidates in offers are held back; an answer is held back whole, since nothing could
    bring the server's candidates to the client after it.

    Parameters
    ----------
    by_s
        For how long.
    """

    kind: Literal["candidates-late"]
    by_s: PositiveDuration = Field(alias="by")


class PatchLostFault(TimedFault):
    """A PATCH with candidates never reaches the server.

    Parameters
    ----------
    status
        What the client is told: 200 for a success that it was not.
    """

    kind: Literal["patch-lost"]
    status: int = Field(default=200, ge=200, le=599)


SignallingTamper = IceFault | RoleConflictFault | CandidatesLateFault | PatchLostFault
