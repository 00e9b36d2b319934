"""``--server`` and ``--client``."""

import json

from tests.needs import needs_pipecat


def test_no_browser_under_the_virtual_clock(simlab):
    result = simlab("run", "clean", "--client", "chromium")
    assert result.exit_code == 2
    assert result.stderr.startswith('Error: clean: peers.client is "chromium", but no browser runs under')


def test_an_unknown_server_is_told_with_those_there_are(simlab):
    result = simlab("run", "clean", "--server", "pipcat")
    assert result.exit_code == 2
    assert 'peers.server is "pipcat", did you mean "pipecat"?' in result.stderr
    far = simlab("run", "clean", "--server", "zzz").stderr
    assert 'peers.server is "zzz", want one of "builtin", "pipecat", "MODULE:NAME"' in far


def test_a_sweep_checks_its_peers_too(simlab):
    assert simlab("sweep", "clean", "--client", "chromium").exit_code == 2


def test_a_session_with_pipecats_own_server(simlab):
    needs_pipecat()
    result = simlab("run", "clean", "--server", "pipecat", "--set", "duration=5s", "--json")
    assert result.exit_code == 0
    metrics = json.loads(result.stdout)
    assert metrics["messages"]["down"]["delivered"] > 30
    assert metrics["media"]["up"]["alive_at_end"]
