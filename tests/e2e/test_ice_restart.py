"""A browser restarts ICE under a running call with simlab's server, and the call goes on."""

import subprocess
import sys

import pytest

from simlab.live import chromium_page
from tests.needs import needs_browser

needs_browser()

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--allow-loopback-in-peer-connection"]
KEPT_S = 3.0  # how long the server's old ICE connection still receives

# A page of its own, since the published client never restarts ICE.
CONNECT = """
async () => {
  const pc = (window.pc = new RTCPeerConnection());
  window.states = [];
  pc.oniceconnectionstatechange = () => states.push(pc.iceConnectionState);
  pc.addTransceiver("audio");
  pc.addTransceiver("video");
  window.channel = pc.createDataChannel("chat", { ordered: true });
  window.post = async (pc_id) => {
    await pc.setLocalDescription();
    await new Promise((done) => {
      const look = () => pc.iceGatheringState === "complete" && done();
      pc.addEventListener("icegatheringstatechange", look);
      look();
    });
    const body = JSON.stringify({ sdp: pc.localDescription.sdp, type: "offer", pc_id, restart_pc: false });
    const headers = { "Content-Type": "application/json" };
    const answer = await (await fetch("/api/offer", { method: "POST", headers, body })).json();
    await pc.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    return answer.pc_id;
  };
  window.ufrags = () => ["localDescription", "remoteDescription"].map(
    (side) => pc[side].sdp.match(/a=ice-ufrag:(.*)/)[1]);
  window.pair = () => {
    const { local, remote } = pc.sctp.transport.iceTransport.getSelectedCandidatePair();
    return [local.usernameFragment, remote.port];
  };
  // The bot answers each of them.
  window.greet = () => new Promise((done, failed) => {
    setTimeout(() => failed(new Error("no answer")), 5000);
    const id = Math.random().toString(36).slice(2, 10);
    channel.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "bot-ready" && message.id === id) done(true);
    });
    channel.send(JSON.stringify({ id, label: "rtvi-ai", type: "client-ready", data: { version: "2.1.0" } }));
  });
  const opened = new Promise((done) => (channel.onopen = done));
  const pc_id = await post(null);
  await opened;
  return pc_id;
}
"""
RESTART = "async (pc_id) => { pc.restartIce(); return post(pc_id); }"
LOOK = "() => ({ ufrags: ufrags(), pair: pair(), states, connection: pc.connectionState })"


@pytest.fixture
def served():
    """Return the URL of the built-in server, in a process of its own."""
    command = [sys.executable, "-m", "simlab", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().split()[2]
        finally:
            process.terminate()


@pytest.fixture
def page(served):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_page.executable(), args=ARGUMENTS)
        page = browser.new_page()
        page.goto(f"{served}/status")
        yield page
        browser.close()


def test_chromium_restarts_ice_and_the_call_goes_on(page):
    pc_id = page.evaluate(CONNECT)
    assert page.evaluate("() => greet()")
    before = page.evaluate(LOOK)
    assert page.evaluate(RESTART, pc_id) == pc_id  # the same connection of the server
    page.wait_for_function(
        "before => pair()[0] !== before.pair[0] && pair()[1] !== before.pair[1]", arg=before, timeout=15_000
    )
    page.wait_for_timeout(1000 * (KEPT_S + 2.0))  # the old path is gone by then
    after = page.evaluate(LOOK)
    assert page.evaluate("() => greet()")
    assert after["connection"] == "connected"
    # Both sides have new credentials, and the pair in use is one of theirs.
    assert not set(before["ufrags"]) & set(after["ufrags"])
    assert after["pair"][0] == after["ufrags"][0]
    assert "failed" not in after["states"]
