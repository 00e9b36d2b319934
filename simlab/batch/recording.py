"""Save what was seen of somebody else's session as a run folder."""

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from simlab import store
from simlab.batch.session import judged, save
from simlab.capture import KEYS
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
        If it could not be saved.
    """
    if captured is not None and keys is not None:
        with suppress(OSError):  # the server may be another, or on another machine
            shutil.copy(keys, captured / KEYS)
    run = replace(judged(scenario, timeline, timeline.duration_s), captured=captured)
    run = save(run, parent)
    assert run.folder is not None
    return run.folder
