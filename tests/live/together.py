"""Sessions in real time that run at once, as none of them takes much of a core."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from simlab.core.timeline import Timeline
from simlab.live.session import Settings, run
from tests.virtual.sessions import scenario


def run_together(texts: Mapping[str, str], settings: Settings | None = None) -> dict[str, Timeline]:
    """Return the timelines of profiles, by the same names."""
    scenarios = map(scenario, texts.values())
    with ThreadPoolExecutor(len(texts)) as pool:
        timelines = pool.map(lambda one: run(one, settings or Settings()), scenarios)
        return dict(zip(texts, timelines, strict=True))
