// Measures the published client: which states, callbacks, requests and messages it makes, in what order.
//
//     npm install @pipecat-ai/small-webrtc-transport@1.10.8 @pipecat-ai/client-js@1.13.1
//     node measure.mjs > published_client.json
//
// The client's own code runs in Node, with its real timers, over a fake RTCPeerConnection, fetch and media manager.
import { spawnSync } from "child_process";
import { createRequire } from "module";
import { fileURLToPath } from "url";

const require = createRequire(process.cwd() + "/");
const packages = ["@pipecat-ai/small-webrtc-transport", "@pipecat-ai/client-js"];
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const seen = { told: [], requests: [], messages: [] };
const tell = (...what) => seen.told.push(what);
const settings = { connects: true, gathersInMs: 0, constructor: null };
const connections = [];
const answers = [];
const names = [];
let began = Date.now();

class Emitter extends EventTarget {
  fire(name, fields) {
    const event = Object.assign(new Event(name), fields || {});
    this.dispatchEvent(event);
    this["on" + name]?.(event);
  }
}

class Channel extends Emitter {
  readyState = "connecting";
  send(text) {
    const message = text.startsWith("ping") ? ["ping"] : describe(JSON.parse(text));
    if (message[0] !== "ping") seen.messages.push(message);
  }
  close() {
    if (this.readyState === "closed") return;
    this.readyState = "closed";
    setTimeout(() => this.fire("close"), 0);
  }
}

const describe = (message) =>
  message.type === "signalling"
    ? ["trackStatus", message.message.receiver_index, message.message.enabled]
    : [message.type];

class FakePeerConnection extends Emitter {
  iceConnectionState = "new";
  iceGatheringState = "new";
  signalingState = "stable";
  transceivers = [];
  constructor() {
    super();
    if (settings.constructor) throw settings.constructor;
    connections.push(this);
  }
  addTransceiver() {
    const sender = { track: null, replaceTrack: async (track) => (sender.track = track) };
    this.transceivers.push({ mid: String(this.transceivers.length), sender, stop() {} });
  }
  getTransceivers = () => this.transceivers;
  getSenders = () => this.transceivers.map((transceiver) => transceiver.sender);
  createDataChannel = () => (this.channel = new Channel());
  createOffer = async () => ({ type: "offer", sdp: "v=0\r\nm=audio 9 X 96\r\n" });
  async setLocalDescription(description) {
    this.localDescription = { ...description };
    this.signalingState = "have-local-offer";
    this.fire("signalingstatechange");
    if (this.iceGatheringState !== "new") return;
    this.gathering("gathering");
    const gather = () => {
      this.fire("icecandidate", { candidate: { candidate: "candidate:1", sdpMid: "0", sdpMLineIndex: 0 } });
      this.gathering("complete");
      this.fire("icecandidate", { candidate: null });
    };
    // Candidates of the host are there before an answer can be.
    if (settings.gathersInMs) setTimeout(gather, settings.gathersInMs);
    else queueMicrotask(gather);
  }
  gathering(state) {
    this.iceGatheringState = state;
    this.fire("icegatheringstatechange");
  }
  async setRemoteDescription(answer) {
    if (answer?.type !== "answer" || !answer.sdp) throw new TypeError("not an answer");
    this.signalingState = "stable";
    this.fire("signalingstatechange");
    this.ice("checking");
    if (settings.connects) setTimeout(() => this.connected(), 20);
  }
  connected() {
    if (this.signalingState === "closed") return;
    this.ice("connected");
    this.sctp = { maxMessageSize: 262144 };
    this.channel.readyState = "open";
    this.channel.fire("open");
  }
  ice(state) {
    this.iceConnectionState = state;
    this.fire("iceconnectionstatechange");
  }
  close() {
    this.signalingState = this.iceConnectionState = "closed";
  }
  hear = (message) => this.channel.fire("message", { data: JSON.stringify(message) });
  hearBotReady = () => this.hear({ id: "r", label: "rtvi-ai", type: "bot-ready", data: { version: "2.1.0" } });
}

class Media {
  supportsScreenShare = false;
  isMicEnabled = true;
  isCamEnabled = false;
  setClientOptions = (options) => (this.callbacks = options.callbacks);
  initialize = async () => this.callbacks.onMicUpdated({ deviceId: "microphone" });
  connect = async () => {};
  disconnect = async () => {};
  tracks = () => ({ local: { audio: { stop() {} } } });
}

const json = (value, status = 200) => new Response(JSON.stringify(value), { status });

globalThis.window = globalThis;
globalThis.RTCPeerConnection = FakePeerConnection;
globalThis.fetch = async (target, init) => {
  const request = target instanceof Request ? target : new Request(target, init);
  const body = JSON.parse((await request.text()) || "null");
  const offer = body?.sdp ? { restart: body.restart_pc } : {};
  const name = body && "pc_id" in body ? { pc_id: body.pc_id === null ? null : names.indexOf(body.pc_id) } : {};
  const at = Math.round((Date.now() - began) / 100) / 10;
  seen.requests.push({ at_s: at, method: request.method, path: new URL(request.url).pathname, ...name, ...offer });
  const planned = request.method === "POST" ? answers.shift() : undefined;
  const answer = await planned?.();
  if (answer) return answer;
  if (request.method === "PATCH") return json({ status: "success" });
  const renegotiated = names.includes(body.pc_id) && !body.restart_pc;
  if (!renegotiated) names.push(`name ${names.length}`);
  return json({ sdp: "v=0", type: "answer", pc_id: renegotiated ? body.pc_id : names.at(-1) });
};

const snake = (name) => name.slice(2).replace(/[A-Z]/g, (c, i) => (i ? "_" : "") + c.toLowerCase());
const CALLBACKS = ["onConnected", "onDisconnected", "onError", "onTransportStateChanged", "onBotStarted"];
CALLBACKS.push("onBotConnected", "onBotReady", "onBotDisconnected", "onMediaStateChanged", "onMessageError");

function make(transportOptions = {}, clientOptions = {}) {
  process.on("unhandledRejection", () => {});
  const { SmallWebRTCTransport } = require(packages[0]);
  const { PipecatClient } = require(packages[1]);
  const callbacks = {};
  for (const name of CALLBACKS)
    callbacks[name] = (data) => {
      if (name === "onTransportStateChanged") tell("state", data);
      else if (name === "onMediaStateChanged") tell(snake(name), data.mic.state, data.cam.state);
      else tell(snake(name));
    };
  const webrtcRequestParams = { endpoint: "http://host/api/offer" };
  const transport = new SmallWebRTCTransport({ mediaManager: new Media(), webrtcRequestParams, ...transportOptions });
  const client = new PipecatClient({ transport, callbacks, ...clientOptions });
  client.setLogLevel(0);
  seen.told.length = 0;
  began = Date.now();
  return client;
}

const outcome = (promise, what) =>
  promise.then(
    () => tell(what, "resolved"),
    () => tell(what, "rejected")
  );

async function connected(transportOptions, clientOptions) {
  const client = make(transportOptions, clientOptions);
  outcome(client.connect(), "connect");
  while (client.state !== "ready") await sleep(10);
  connections[0].hearBotReady();
  await sleep(20);
  return client;
}

const attempt = async (work, what) => {
  try {
    await work();
  } catch {
    tell(what, "refused");
  }
};

const SCENARIOS = {
  async "connect and disconnect"() {
    const client = await connected();
    await client.disconnect();
  },
  async "every first offer is answered 500"() {
    for (let n = 0; n < 4; n++) answers.push(() => json({}, 500));
    await outcome(make().connect(), "connect");
  },
  async "the first offer is answered 404"() {
    answers.push(() => json({}, 404));
    await outcome(make().connect(), "connect");
  },
  async "every first answer lacks its sdp"() {
    names.push("x");
    for (let n = 0; n < 4; n++) answers.push(() => json({ type: "answer", pc_id: "x" }));
    await outcome(make().connect(), "connect");
  },
  async "every first answer is not JSON"() {
    for (let n = 0; n < 4; n++) answers.push(() => new Response("<html>"));
    await outcome(make().connect(), "connect");
  },
  async "disconnected while the first offer waits"() {
    let answer;
    answers.push(() => new Promise((done) => (answer = () => done(null))));
    const client = make();
    outcome(client.connect(), "connect");
    while (!answer) await sleep(10);
    await client.disconnect();
    answer();
    await sleep(200);
    await attempt(() => client.connect(), "connect");
  },
  async "disconnected while the channel is not open"() {
    settings.connects = false;
    const client = make();
    outcome(client.connect(), "connect");
    await sleep(1000);
    await client.disconnect();
  },
  async "reconnected"() {
    await connected();
    connections[0].ice("failed");
    await sleep(500);
  },
  async "offers fail after it was connected"() {
    await connected();
    for (let n = 0; n < 3; n++) answers.push(() => json({}, 503));
    connections[0].ice("failed");
    await sleep(7000);
  },
  async "the offer of a reconnection is answered 400"() {
    await connected();
    answers.push(() => json({}, 400));
    connections[0].ice("failed");
    await sleep(500);
  },
  async "disconnected while the offer of a reconnection waits"() {
    const client = await connected();
    let answer;
    answers.push(() => new Promise((done) => (answer = () => done(null))));
    connections[0].ice("failed");
    while (!answer) await sleep(10);
    await client.disconnect();
    answer();
    await sleep(3000);
    settings.connects = false;
    client.connect();
    await sleep(500);
  },
  async "the bot leaves"() {
    await connected();
    connections[0].hear({ type: "signalling", message: { type: "peerLeft" } });
  },
  async "the bot leaves and the client stays"() {
    await connected({}, { disconnectOnBotDisconnect: false });
    connections[0].hear({ type: "signalling", message: { type: "peerLeft" } });
  },
  async "the server asks for a new offer"() {
    await connected();
    connections[0].hear({ type: "signalling", message: { type: "renegotiate" } });
    await sleep(500);
  },
  async "a fatal error"() {
    await connected();
    connections[0].hear({ id: "e", label: "rtvi-ai", type: "error", data: { error: "oh", fatal: true } });
  },
  async "a bot is started, and then connected to"() {
    answers.push(() => json({ sessionId: "s1" }));
    const client = make({ webrtcRequestParams: undefined });
    outcome(client.startBotAndConnect({ endpoint: "http://host/start" }), "connect");
    while (client.state !== "ready") await sleep(10);
    connections[0].hearBotReady();
  },
  async "a bot is refused"() {
    answers.push(() => json({ info: "full" }, 503));
    await outcome(make().startBotAndConnect({ endpoint: "http://host/start" }), "connect");
  },
  async "a bot is refused, and not in JSON"() {
    answers.push(() => new Response("<html>", { status: 502 }));
    const client = make();
    await outcome(client.startBotAndConnect({ endpoint: "http://host/start" }), "connect");
    await attempt(() => client.connect(), "connect");
  },
  async "nobody has said where offers go"() {
    await outcome(make({ webrtcRequestParams: undefined }).connect(), "connect");
  },
  async "parameters that are no mapping"() {
    await outcome(make().connect(7), "connect");
  },
  async "there can be no peer connection"() {
    settings.constructor = new SyntaxError("malformed");
    await outcome(make().connect(), "connect");
  },
  async "candidates come late, and offers wait for them"() {
    Object.assign(settings, { connects: false, gathersInMs: 5000 });
    make({ waitForICEGathering: true }).connect();
    await sleep(6000);
  },
  async "a request that nobody answers"() {
    const client = await connected();
    outcome(client.sendClientRequest("anyone"), "request");
    await sleep(12500);
  },
  async "sent before it is ready"() {
    const client = make();
    await attempt(async () => client.sendClientMessage("hello"), "send");
  },
};

const [, script, chosen] = process.argv;
if (chosen === undefined) {
  const measured = {};
  for (const name of Object.keys(SCENARIOS)) {
    const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), name], { encoding: "utf8" });
    measured[name] = JSON.parse(child.stdout.split("\nMEASURED\n")[1]);
  }
  const version = (name) => `${name} ${require(`${process.cwd()}/node_modules/${name}/package.json`).version}`;
  const source = { packages: packages.map(version), how: `node ${script.split("/").at(-1)}`, node: process.version };
  const line = (key, value) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`;
  const block = (name) => {
    const parts = Object.entries(measured[name]).map(([key, value]) => "  " + line(key, value));
    return `  ${JSON.stringify(name)}: {\n${parts.join(",\n")}\n  }`;
  };
  const blocks = Object.keys(measured).map(block);
  console.log(`{\n${line("source", source)},\n  "scenarios": {\n${blocks.join(",\n")}\n  }\n}`);
} else {
  await SCENARIOS[chosen]();
  await sleep(100);
  console.log("\nMEASURED\n" + JSON.stringify(seen));
  process.exit(0);
}
