"""``only``: an impairment for some packets alone."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from simlab.core.impair import SelectedSpec, Selection
from simlab.core.packet import CLASS_ALIASES, PacketClass, classes_named
from simlab.profile.fields import Size, Table, listed
from simlab.profile.nearest import one_of, quoted
from simlab.profile.units import size_text

# A family, such as "stun", covers all of its classes.
CLASS_NAMES = sorted(
    {name for kind in PacketClass for name in (kind.value, kind.partition(".")[0])} | set(CLASS_ALIASES)
)


def _check_classes(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError("want at least one packet class")
    for name in names:
        if name not in CLASS_NAMES:
            raise ValueError(f"{quoted(name)} is no packet class, {one_of(name, CLASS_NAMES)}")
    return names


def _check_numbers(numbers: tuple[int, ...]) -> tuple[int, ...]:
    if not numbers:
        raise ValueError("want at least one number")
    if min(numbers) < 1:
        raise ValueError("want numbers from 1 on")
    return numbers


if TYPE_CHECKING:
    Classes = tuple[str, ...]
    Numbers = tuple[int, ...]
else:
    Classes = Annotated[tuple[str, ...], BeforeValidator(listed), AfterValidator(_check_classes)]
    Numbers = Annotated[
        tuple[int, ...], BeforeValidator(listed), Field(max_length=100_000), AfterValidator(_check_numbers)
    ]


class PacketKeys(Table):
    """Which packets are meant; what is left out does not matter.

    Parameters
    ----------
    match
        Packet classes, or families of them.
    larger_bytes, smaller_bytes
        UDP payloads of more, and of fewer, bytes.
    flow
        Flows, numbered from 1 in the order in which they came: packets of one address and port to another. A
        connection that is re-created is a new flow.
    """

    match: Classes | None = None
    larger_bytes: Size | None = Field(default=None, alias="larger")
    smaller_bytes: Size | None = Field(default=None, alias="smaller")
    flow: Numbers | None = None

    @property
    def numbers(self) -> tuple[int, ...] | None:
        """Which of those that the other keys leave, from 1; None for all."""
        return None

    @property
    def selection(self) -> Selection | None:
        """Return it in the core's terms; None if nothing is asked of packets."""
        selection = Selection(
            None if self.match is None else classes_named(self.match),
            self.larger_bytes,
            self.smaller_bytes,
            None if self.numbers is None else frozenset(self.numbers),
            None if self.flow is None else frozenset(self.flow),
        )
        return None if selection == Selection() else selection


class Only(PacketKeys):
    """Which packets an impairment is for; the others pass as if it were not there.

    Parameters
    ----------
    nth
        Numbers, from 1, among what the other keys leave.
    """

    nth: Numbers | None = None

    @property
    def numbers(self) -> tuple[int, ...] | None:
        """Which of those that the other keys leave, from 1; None for all."""
        return self.nth


class ModelTable(Table):
    """A table that stands for a stage of a link."""

    only: Only | None = None

    def core(self) -> Any:
        """Return the spec, for all packets."""
        raise NotImplementedError

    def spec(self) -> Any:
        """Return it in the core's terms.

        Raises
        ------
        ValueError
            If the numbers do not go together.
        """
        spec, selection = self.core(), None if self.only is None else self.only.selection
        return spec if selection is None else SelectedSpec(spec, selection)


def only_toml(selection: Selection) -> dict[str, Any]:
    """Write a selection as the profile would have it."""
    table: dict[str, Any] = {}
    if selection.classes is not None:
        table["match"] = sorted(kind.value for kind in selection.classes)
    if selection.larger_bytes is not None:
        table["larger"] = size_text(selection.larger_bytes)
    if selection.smaller_bytes is not None:
        table["smaller"] = size_text(selection.smaller_bytes)
    for key, numbers in (("flow", selection.flows), ("nth", selection.nth)):
        if numbers is not None:
            table[key] = sorted(numbers)
    return table
