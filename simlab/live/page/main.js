// The client's half of a session, in a browser: the published client, and what simlab wants to know of it.
//
// Reports are [session time in s, what, fields]. "event" is an event of the timeline; "begin", "sent",
// "message", "heard" and "spoken" are what the probes count.

import { LogLevel, PipecatClient } from "@pipecat-ai/client-js";
import { SmallWebRTCTransport } from "@pipecat-ai/small-webrtc-transport";
import { Loudspeaker, Microphone } from "./media.js";
import { watchConnections, watchRequests } from "./watch.js";

const PROBE = "simlab-probe";
const INTERVAL_MS = 100;
const FLUSH_MS = 50;

const session = { zeroMs: Infinity };
const reports = [];
const nowS = () => (performance.now() - session.zeroMs) / 1000;
const tell = (what, fields) => reports.push([nowS(), what, fields]);
const report = (kind, fields = {}, source = "client") => tell("event", { source, kind, ...fields });

const transport = new SmallWebRTCTransport({ mediaManager: new Microphone() });
const loudspeaker = new Loudspeaker();
const client = new PipecatClient({ transport, enableMic: true, enableCam: false, callbacks: callbacks() });
let talking = null;

watchConnections(report, {
  created(number) {
    if (number > 1) report("attempt", { number: transport.reconnectionAttempts, action: "recreate" }, "policy");
  },
  lost: (cause) => report("trigger", { cause }, "policy"),
});
watchRequests(report);

function callbacks() {
  const named = (name) => () => report("callback", { name });
  return {
    onTransportStateChanged: stateChanged,
    onConnected: named("connected"),
    onBotConnected: named("bot_connected"),
    onBotDisconnected: named("bot_disconnected"),
    onDisconnected: named("disconnected"),
    onError: named("error"),
    onBotReady: begin,
    onServerMessage: (data) => {
      if (data?.t === PROBE) tell("message", { number: data.number, sent_s: data.sent_s });
    },
    onTrackStarted: (track) => {
      report("track_started", { track: `bot ${track.kind}` });
      if (track.kind === "audio") loudspeaker.play(track);
    },
    onTrackStopped: (track) => {
      report("track_stopped", { track: `bot ${track.kind}` });
      loudspeaker.drop(track);
    },
  };
}

function stateChanged(state) {
  report("transport_state", { state });
  if (state !== "error") return;
  const status = transport._lastNegotiationError?.status;
  const refused = status >= 400 && status < 500;
  report("give_up", refused ? { cause: "offer refused", status } : { cause: "attempts exhausted" }, "policy");
}

function begin() {
  report("bot_ready");
  tell("begin", {});
  if (talking === null) talk(performance.now(), 0);
}

function talk(dueMs, number) {
  if (nowS() >= session.lastMessageS) return;
  talking = setTimeout(talk, dueMs + INTERVAL_MS - performance.now(), dueMs + INTERVAL_MS, number + 1);
  tell("sent", {});
  try {
    client.sendClientMessage(PROBE, { number, sent_s: Math.round(nowS() * 1e6) / 1e6 });
  } catch {
    // Not ready: the message is lost, as the watch at the other end will find.
  }
}

window.simlab = {
  flush: () => reports.splice(0),
  connect({ zeroMs, lastMessageS, media, iceServers }) {
    Object.assign(session, { zeroMs, lastMessageS });
    reports.length = 0; // from before the session
    transport.iceServers = iceServers;
    setInterval(() => reports.length && window.simlabReports(reports.splice(0)), FLUSH_MS);
    const count = (what) => (packets) => packets > 0 && tell(what, { packets });
    if (media) loudspeaker.listen(count("heard"), count("spoken"));
    else client.enableMic(false);
    client.connect({ webrtcRequestParams: { endpoint: `${location.origin}/api/offer` } }).then(
      () => report("connect", { outcome: "resolved" }),
      () => report("connect", { outcome: "rejected" }),
    );
  },
  async hangUp() {
    clearTimeout(talking);
    await client.disconnect();
  },
};
client.setLogLevel(LogLevel.NONE);
