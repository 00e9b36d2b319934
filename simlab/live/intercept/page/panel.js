// The live page: it sends commands, and shows what it is told.

const histories = new Map();
const cards = new Map();
let offset_s = 0; // the intercept's time, less ours
let status = null;
const now_s = () => performance.now() / 1000 + offset_s;
const linkOf = (answer) => answer.link;

// ---- commands ----

function wireButtons() {
  for (const button of document.querySelectorAll("button[data-do]")) {
    button.addEventListener("click", async () => {
      const command = button.dataset.do, given = { for: `${$("for-s").value}s` };
      if (command === "rebind") delete given.for;
      if (command === "signalling") given.how = button.dataset.how;
      else given.client = Number($("whom").value);
      if (["blackout", "block", "pause"].includes(command)) given.direction = $("direction").value;
      await call(command, given);
    });
  }
  $("clear").addEventListener("click", () => call("clear"));
  $("same").addEventListener("click", copyDown);
  $("reset").addEventListener("click", async () => {
    const keys = Object.keys(status?.overrides ?? {});
    const answer = keys.length ? await call("set", Object.fromEntries(keys.map((key) => [key, null]))) : status;
    if (answer) showLine(answer.link, Infinity);
  });
  $("load").addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await call("load", { profile: $("profile-name").value });
    if (answer) showLine(answer.link, Infinity);
  });
  $("record").addEventListener("click", async () => {
    $("record").disabled = true;
    if (status?.recording == null) await call("record", { name: $("record-name").value });
    else saved(await call("stop_recording"));
    $("record").disabled = false;
  });
}

function saved(answer) {
  if (!answer) return;
  $("saved").querySelector(".none")?.remove();
  const folders = answer.folders.length ? answer.folders : [{ client: null, folder: "Nothing to save: there was no client." }];
  for (const { client, folder } of folders) {
    const item = document.createElement("li");
    item.textContent = client === null ? folder : `client ${client}: ${folder}`;
    $("saved").prepend(item);
  }
  $("saved").scrollIntoView({ block: "nearest" });
}

// ---- what is told ----

function showState(state) {
  status = state;
  offset_s = state.t_s - performance.now() / 1000;
  $("about").textContent = `${state.listen} → ${state.upstream}`;
  $("open").textContent = $("open").href = state.listen;
  $("upstream").textContent = state.upstream;
  const { name, description } = state.profile;
  $("profile").textContent = description ? `${name}: ${description}` : name;
  const recording = state.recording;
  $("record").setAttribute("aria-pressed", String(recording !== null));
  $("record").textContent = recording === null ? "Record" : `Stop and save (${Math.round(recording)} s)`;
  $("record-name").disabled = recording !== null;
  $("clear").disabled = !state.faults.length;
  $("active").replaceChildren(...state.faults.map((fault) => {
    const item = document.createElement("li");
    const more = [fault.how, fault.match?.join(", "), fault.direction, fault.client ? `client ${fault.client}` : ""];
    const left = fault.left_s === null ? "until you end it" : `${fault.left_s.toFixed(0)} s left`;
    item.textContent = `${kindOf(fault)} (${more.filter(Boolean).join("; ")}), ${left}`;
    return item;
  }));
  showLine(state.link);
  showClients(state.clients);
}

function showClients(clients) {
  const known = [...$("whom").options].map((option) => option.value);
  const there = ["0", ...Object.keys(clients)];
  if (known.join() !== there.join()) {
    const chosen = $("whom").value;
    $("whom").replaceChildren(...there.map((number) => new Option(number === "0" ? "all" : number, number)));
    $("whom").value = there.includes(chosen) ? chosen : "0";
  }
  for (const [number, client] of Object.entries(clients)) cardOf(number).client = client;
  for (const [number, card] of cards) {
    const client = clients[number];
    card.element.classList.toggle("gone", !client);
    card.state.textContent = client ? stateOf(client) : "gone";
    if (client) fillTable(card, number, client);
  }
  $("nobody").hidden = cards.size > 0;
}

function stateOf(client) {
  if (client.closed) return `connection ${client.connection}, closed`;
  const silent = client.silent.map(([direction, what]) => `${what === "message" ? "data" : what} ${direction}`);
  const heard = client.ready ? (silent.length ? `silent: ${silent.join(", ")}` : "all passes") : "not connected yet";
  return `connection ${client.connection}, ${heard}`;
}

function fillTable(card, number, client) {
  const at = Math.floor(now_s()) - 1, { ms, causes } = inTable;
  fill(card.table, DIRECTIONS.map((direction) => {
    const last = histories.get(number)?.seconds[direction].get(at);
    const { offered, delivered, dropped, kernel_dropped } = client.links[direction];
    const packets = last ? KINDS.reduce((sum, kind) => sum + last[kind], 0) : 0;
    return [direction, packets, last ? Math.round(last.bytes * 8 / 1000) : 0, ms(last?.p50), ms(last?.p99), offered, delivered,
      causes(dropped, kernel_dropped)];
  }));
}

function cardOf(number) {
  if (!cards.has(number)) {
    const element = document.createElement("section");
    element.className = "card client";
    element.innerHTML = `<h2>Client ${Number(number)} <span class="state"></span></h2>
      <canvas role="img" aria-label="Packets a second, delay, and drops by cause of client ${Number(number)} over time; the numbers are in the table below"></canvas>
      <div class="scroll"><table><thead><tr><th scope="col"><th scope="col">packets/s<th scope="col">kbit/s<th scope="col">delay ms
      <th scope="col">p99 ms<th scope="col">sent<th scope="col">arrived<th scope="col" class="causes">dropped</thead><tbody></tbody></table></div>`;
    $("charts").append(element);
    const find = (what) => element.querySelector(what);
    cards.set(number, { element, canvas: find("canvas"), state: find(".state"), table: find("table") });
  }
  if (!histories.has(number)) histories.set(number, new History());
  return cards.get(number);
}

const MARKS = {
  "client offer": (event) => ({ name: event.restart ? "offer again" : "offer" }),
  "client offer_failed": (event) => ({ name: `offer failed ${event.status ?? ""}`, bad: true }),
  "client bot_ready": () => ({ name: "ready" }),
};
const TOLD = {
  "client offer": (event) => `offer of connection ${event.connection}${event.restart ? ", a restart" : ""}`,
  "client answer": (event) => `answered with ${event.status}`,
  "client offer_failed": (event) => `offer failed: ${event.status ?? event.error}`,
  "client trickle": (event) => event.candidates === 1 ? "1 candidate" : `${event.candidates} candidates`,
  "client ice_state": (event) => `ICE of connection ${event.connection} gets answers`,
  "client dtls_state": (event) => `encrypted packets of connection ${event.connection}`,
  "client bot_ready": () => "data pass both ways",
  "client hung_up": (event) => `closes connection ${event.connection}`,
  "policy attempt": (event) => `tries to come back (${event.action.replace("_", " ")})`,
  "probe lost": (event) => `${event.what === "message" ? "data" : event.what} ${event.direction} silent`,
  "probe back": (event) => `${event.what === "message" ? "data" : event.what} ${event.direction} back after ${event.gap_s.toFixed(1)} s`,
  "fault begin": (event) => event.fault === "rebind" ? `${nameOf(event)}: seen by the server from another port`
    : `${nameOf(event)} begins${event.for ? ` for ${event.for}` : ""}`,
  "fault end": (event) => `${nameOf(event)} ends`,
  "signalling faulted": (event) => `signalling: ${event.how}`,
};
const kindOf = (fault) => fault.fault === "pause" ? "hold" : fault.fault;
const nameOf = (fault) => fault.how ? `signalling "${fault.how}"` : kindOf(fault);
const faults = new Map();

const newest = new Map(); // the connection that a client offered last
const hungUp = new Set();

function take(event) {
  const key = `${event.source} ${event.kind}`;
  if (key === "client offer") {
    newest.set(event.client, event.connection);
    hungUp.delete(event.client);
  }
  if (key === "client hung_up" && event.connection === newest.get(event.client)) hungUp.add(event.client);
  if (key === "probe lost" && hungUp.has(event.client)) return; // nobody misses it
  if (event.source.startsWith("link.")) {
    const history = histories.get(String(event.client)) ?? (cardOf(String(event.client)), histories.get(String(event.client)));
    if (event.kind === "rate") history.rate(event.source.slice(5), event);
    if (event.kind === "dropped") history.dropped(event.source.slice(5), event.t_s, event.cause);
    return;
  }
  if (event.source === "fault") takeFault(event);
  if (event.client && MARKS[key]) {
    cardOf(String(event.client));
    histories.get(String(event.client)).marks.push({ t_s: event.t_s, ...MARKS[key](event) });
  }
  if (TOLD[key]) tell(event.t_s, event.client ? `Client ${event.client}: ${TOLD[key](event)}` : TOLD[key](event));
}

function takeFault(event) {
  if (event.kind === "begin") {
    const seconds = event.for ? inMs(event.for) / 1000 : event.fault === "rebind" ? 0 : Infinity;
    faults.set(event.index, { at_s: event.t_s, until_s: event.t_s + seconds, name: event.how ?? kindOf(event), client: event.client });
  } else if (faults.has(event.index)) faults.get(event.index).until_s = event.t_s;
}

function drawAll() {
  if (document.hidden || !status) return;
  const now = now_s();
  for (const [number, card] of cards) {
    const history = histories.get(number);
    history.forget(now - SHOWN_S - 5);
    history.faults = new Map([...faults].filter(([, fault]) => !fault.client || String(fault.client) === number));
    draw(card.canvas, history, now);
  }
  for (const [index, fault] of faults) if (fault.until_s < now - SHOWN_S) faults.delete(index);
}

function listen() {
  const source = new EventSource(`api/events?token=${token}`);
  source.addEventListener("state", (message) => showState(JSON.parse(message.data)));
  source.addEventListener("event", (message) => take(JSON.parse(message.data)));
  source.onopen = () => {
    // All that is still known is told again.
    $("link-state").textContent = "";
    for (const number of histories.keys()) histories.set(number, new History());
    faults.clear();
    $("log").replaceChildren();
  };
  source.onerror = () => { $("link-state").textContent = "No connection to simlab."; };
}

makeSliders();
makeLegend({ media: "media", data: "data channel", stun: "ICE checks", other: "other" });
wireButtons();
listen();
setInterval(drawAll, 250);
