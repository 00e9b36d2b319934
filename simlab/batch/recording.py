"""Save what was seen of somebody else's session as a run folder."""

from pathlib import Path

from simlab.batch.session import judged, save
from simlab.core.timeline import Timeline
from simlab.profile.scenario import Scenario


def save_recording(parent: Path, scenario: Scenario, timeline: Timeline) -> Path:
    """Work out what a recording comes to, save it, and return its folder.

    Raises
    ------
    SimlabError
        If it could not be saved.
    """
    run = save(judged(scenario, timeline, timeline.duration_s), parent)
    assert run.folder is not None
    return run.folder
