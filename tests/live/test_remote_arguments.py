"""What is said of the keys of a command that cannot be."""

import pytest

from simlab.core.errors import InvalidInputError
from simlab.live.remote.arguments import fault_of

UNTIL_CLEAR = "; without for it lasts until clear"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"kind": "blackout", "for": "48h"}, f'for is "48h", want an end within 24h from now{UNTIL_CLEAR}'),
        (
            {"kind": "blackout", "at": "23h", "for": "2h"},
            f'for is "2h", want an end within 24h from now{UNTIL_CLEAR}',
        ),
        ({"kind": "pause", "for": "25h"}, 'for is "25h", want an end within 24h from now'),
        ({"kind": "blackout", "at": "30h"}, 'at is "30h", want a time within 24h from now'),
    ],
)
def test_what_a_command_may_begin_is_over_in_a_day(given, told):
    """Not with the words of a profile, whose duration nobody has typed here."""
    with pytest.raises(InvalidInputError) as caught:
        fault_of("fault", given, 100_000.0)
    assert caught.value.faults == (f"fault: {told}",)


def test_a_day_from_now_is_within_it():
    assert fault_of("fault", {"kind": "blackout", "for": "24h"}, now_s=100_000.0).until_s == 186_400.0
