"""What several commands understand in the same way."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce, wraps
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from simlab.cli import complete
from simlab.core.errors import InvalidInputError
from simlab.core.limits import MOST_SEEDS

if TYPE_CHECKING:
    from simlab.batch.scenarios import Wanted
    from simlab.profile.model import Clock

_C = TypeVar("_C", bound="Callable[..., object] | click.Command")


def out_option(what: str = "the folder goes") -> Callable[[_C], _C]:
    """Give a command ``--out``."""
    return click.option(
        "--out",
        default="results",
        metavar="DIR",
        show_default=True,
        shell_complete=complete.folders,
        help=f"Where {what}.",
    )


def set_option(of: str = "the profile") -> Callable[[_C], _C]:
    """Give a command ``--set``, which it gets as ``settings``."""
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        shell_complete=complete.keys,
        help=f"Any key of {of}, dotted; may be repeated.",
    )


def wanted_options(seeds: int) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a command PROFILE... and all options that choose its sessions; it gets them as ``wanted``.

    Parameters
    ----------
    seeds
        How many seeds it takes by default.
    """

    def give(command: Callable[..., int]) -> Callable[..., int]:
        @wraps(command)
        def collected(**given: object) -> int:
            taken = {name: given.pop(name) for name in _WANTED}
            return command(wanted=_wanted(**taken), **given)  # type: ignore[arg-type]

        seeds_option = click.option(
            "--seeds",
            type=click.IntRange(1, MOST_SEEDS),
            default=seeds,
            metavar="N",
            show_default=True,
            help="How many seeds, from --seed on.",
        )
        return reduce(lambda wrapped, option: option(wrapped), reversed([*_OPTIONS, seeds_option]), collected)

    return give


_WANTED = ("profiles", "clock", "seed", "seeds", "policies", "servers", "clients", "settings")

_OPTIONS = [
    click.argument(
        "profiles", nargs=-1, required=True, metavar="PROFILE...", shell_complete=complete.profiles
    ),
    click.option(
        "--clock", type=click.Choice(["virtual", "real"]), help="The clock; the profile's by default."
    ),
    click.option(
        "--seed", type=click.IntRange(0), metavar="N", help="The first seed; the profile's by default."
    ),
    click.option(
        "--policy",
        "policies",
        multiple=True,
        metavar="NAME|FILE.toml|MODULE:NAME",
        shell_complete=complete.policies,
        help="A reconnection policy; may be repeated.",
    ),
    click.option(
        "--server",
        "servers",
        multiple=True,
        metavar="builtin|pipecat|MODULE:NAME",
        help="pipecat: the published pipecat-ai. MODULE:NAME: an ASGI or aiohttp application of your own.",
    ),
    click.option(
        "--client",
        "clients",
        multiple=True,
        metavar="builtin|chromium|MODULE:NAME",
        help="chromium: the published JavaScript client in a browser. MODULE:NAME: your own, a coroutine.",
    ),
    set_option(),
]


def _wanted(
    profiles: tuple[str, ...],
    clock: "Clock | None",
    seed: int | None,
    seeds: int,
    policies: tuple[str, ...],
    servers: tuple[str, ...],
    clients: tuple[str, ...],
    settings: tuple[str, ...],
) -> "Wanted":
    from simlab.batch.scenarios import Wanted

    named = {"server": servers, "client": clients}
    if again := [option for option, names in named.items() if len(names) > 1]:
        told = "is given {} times, want one: sessions with another are another command"
        raise InvalidInputError([f"--{option}: {told.format(len(named[option]))}" for option in again])
    overrides = overrides_of(settings) | {
        f"peers.{key}": name for key, names in named.items() for name in names
    }
    return Wanted(profiles, policies, seed, seeds, clock, overrides)


def overrides_of(settings: Sequence[str]) -> dict[str, str]:
    """Split what follows ``--set``; of two settings of a key, the last one counts.

    Raises
    ------
    InvalidInputError
        If one is not ``KEY=VALUE``.
    """
    return pairs_of("--set", "KEY=VALUE", settings)


def files_to_be(places: Mapping[str, str | None]) -> dict[str, Path | None]:
    """Return where files are to be written, before what takes long has been done in vain.

    Parameters
    ----------
    places
        By the option that names it.

    Raises
    ------
    InvalidInputError
        If the folder of one is not there, or it is a folder, with every such option.
    """
    paths = {option: None if place is None else Path(place) for option, place in places.items()}
    faults = [f"{option} {path}: {what}" for option, path in paths.items() if path for what in _no_file(path)]
    if faults:
        raise InvalidInputError(faults)
    return paths


def _no_file(path: Path) -> Iterator[str]:
    if path.is_dir():
        yield "is a folder, want a file"
    elif not path.parent.is_dir():
        yield f"there is no folder {path.parent}"


def pairs_of(option: str, shape: str, settings: Sequence[str]) -> dict[str, str]:
    """Split what follows an option that may be repeated; of two settings of a key, the last one counts.

    Parameters
    ----------
    option, shape
        For a message: ``"--set"``, and ``"KEY=VALUE"``.

    Raises
    ------
    InvalidInputError
        If one has no ``=``.
    """
    pairs = [setting.partition("=") for setting in settings]
    faults = [f"{option} {key}: want {shape}" for key, equals, _ in pairs if not (key and equals)]
    if faults:
        raise InvalidInputError(faults)
    return {key.strip(): value for key, _, value in pairs}
