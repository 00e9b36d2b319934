"""Save what was seen of somebody else's session as a run folder."""

import shutil
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from simlab import store
from simlab.batch.result import Run
from simlab.batch.session import judged, save
from simlab.capture import KEYS
from simlab.core.errors import SimlabError
from simlab.core.timeline import Timeline
from simlab.profile.model import Profile
from simlab.profile.scenario import Scenario


def capture_folder(parent: Path, name: str) -> Path:
    """Make a folder for the captures of a recording, hidden beside where its run folders are going to be.

    Raises
    ------
    SimlabError
        If it cannot be made.
    """
    return store.capture_folder(parent, Scenario.of(Profile(name=name), clock="real"))


def save_recording(
    parent: Path,
    scenario: Scenario,
    timeline: Timeline,
    captured: Path | None = None,
    keys: Path | None = None,
) -> Path:
    """Work out what a recording comes to, save it, and return its folder.

    Parameters
    ----------
    captured
        The folder with the files of its capture, which are moved; None for no capture.
    keys
        The secrets of its server, which are copied, if there are any by now.

    Raises
    ------
    SimlabError
        If it could not be saved; it says where the recording is kept instead.
    """
    if captured is not None and keys is not None:
        with suppress(OSError):  # the server may be another, or on another machine
            shutil.copy(keys, captured / KEYS)
    run = replace(judged(scenario, timeline, timeline.duration_s), captured=captured)
    try:
        run = save(run, parent)
    except SimlabError as error:
        raise SimlabError(f"{error}; {_kept_elsewhere(run)}") from error
    assert run.folder is not None
    return run.folder


def _kept_elsewhere(run: Run) -> str:
    """Save it where there may be room, and return what became of it: nobody can record it again."""
    packets = "" if run.captured is None else f", its packets in {run.captured}"
    try:
        # Without the packets, which may be too many, and cannot be moved to another disk.
        kept = save(replace(run, captured=None), Path(tempfile.mkdtemp(prefix="simlab-recording-")))
    except (OSError, SimlabError) as error:
        return f"nor could it be kept elsewhere ({error}){packets}"
    return f"the recording is kept in {kept.folder}{packets}"
