// The live page: it sends commands, and shows what it is told.

const token = new URLSearchParams(location.search).get("token");
const $ = (id) => document.getElementById(id);
const histories = new Map();
const cards = new Map();
let offset_s = 0; // the intercept's time, less ours
let status = null;
const now_s = () => performance.now() / 1000 + offset_s;

async function call(command, given = {}) {
  let faults;
  try {
    const response = await fetch(`api/${command}?token=${token}`, { method: "POST", body: JSON.stringify(given) });
    const body = await response.json();
    if (response.ok) {
      tellFaults([]);
      return body.answer;
    }
    faults = body.faults;
  } catch {
    faults = ["simlab does not answer: has it ended?"];
  }
  tellFaults(faults);
  return null;
}

function tellFaults(faults) {
  $("faults-told").hidden = !faults.length;
  $("faults-told").textContent = faults.join("\n");
}

// ---- the line ----

const UNLIMITED = "10Gbit/s";
const RATES = [32, 64, 100, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 5000, 10000, 20000, 50000, Infinity];
const SETTINGS = [
  { name: "loss", unit: "%", max: 50, step: 0.5, most: 100 },
  { name: "delay", unit: "ms", max: 1000, step: 5, most: 60000 },
  { name: "jitter", unit: "ms", max: 500, step: 5, most: 60000 },
  { name: "rate", unit: "kbit/s", max: RATES.length - 1, step: 1, most: 10000000 },
];
const sliders = {};

function makeSliders() {
  for (const direction of DIRECTIONS) {
    const set = document.createElement("fieldset");
    set.innerHTML = `<legend>${direction === "up" ? "Up: from the client" : "Down: to the client"}</legend>`;
    for (const setting of SETTINGS) set.append(slider(direction, setting));
    const model = document.createElement("p");
    model.className = "model";
    set.append(model);
    sliders[direction].model = model;
    $("sliders").append(set);
  }
}

function slider(direction, setting) {
  const row = document.createElement("div");
  const id = `${direction}-${setting.name}`;
  row.className = "slider";
  row.innerHTML = `<label for="${id}">${setting.name}</label>
    <input id="${id}" type="range" min="0" max="${setting.max}" step="${setting.step}" value="0">
    <input id="${id}-number" type="number" min="0" max="${setting.most}" step="any" aria-label="${setting.name} ${direction} in ${setting.unit}">
    <span class="unit">${setting.unit}</span>`;
  const [range, number] = row.querySelectorAll("input");
  const own = { range, number, touched_s: -Infinity };
  (sliders[direction] ??= {})[setting.name] = own;
  if (setting.name === "rate") number.placeholder = "no limit";
  range.addEventListener("input", () => {
    const value = setting.name === "rate" ? RATES[range.value] : Number(range.value);
    number.value = value === Infinity ? "" : value;
    spoken(setting, own, value);
    changed(direction, setting.name);
  });
  number.addEventListener("change", () => {
    show(setting, own, number.value === "" ? (setting.name === "rate" ? Infinity : 0) : Number(number.value));
    changed(direction, setting.name);
  });
  return row;
}

function show(setting, own, value) {
  own.number.value = value === Infinity ? "" : Number(value.toFixed(3));
  own.range.value = setting.name === "rate" ? RATES.findIndex((rate) => rate >= value) : value;
  spoken(setting, own, value);
}

function spoken(setting, own, value) {
  own.range.setAttribute("aria-valuetext", value === Infinity ? "no limit" : `${value} ${setting.unit}`);
}

const pending = {};
let timer = null;

function changed(direction, name) {
  const own = sliders[direction];
  const number = (key) => Number(own[key].number.value || 0);
  own[name].touched_s = performance.now() / 1000;
  if (name === "loss") pending[`link.${direction}.loss`] = `${number("loss")}%`;
  if (name === "rate") pending[`link.${direction}.rate`] = own.rate.number.value === "" ? null : `${number("rate")}kbit/s`;
  if (name === "delay" || name === "jitter") {
    // Where the profile has a model of delays, both together take its place.
    pending[`link.${direction}.delay`] = `${number("delay")}ms`;
    pending[`link.${direction}.jitter`] = `${number("jitter")}ms`;
  }
  clearTimeout(timer);
  timer = setTimeout(send, 150);
}

async function send() {
  const settings = { ...pending };
  for (const key of Object.keys(pending)) delete pending[key];
  let answer = await call("set", settings);
  // Without a limit, the profile's own counts again; where it has one, that takes another command.
  const limited = DIRECTIONS.filter((way) => answer && settings[`link.${way}.rate`] === null && answer.link[way].rate);
  if (limited.length) answer = await call("set", Object.fromEntries(limited.map((way) => [`link.${way}.rate`, UNLIMITED])));
  if (answer) showLine(answer, true);
  else if (status) showLine(status, true);
}

const inMs = (text) => {
  const match = /^([\d.]+)(us|ms|s|min|h)$/.exec(text ?? "0s");
  return match ? Number(match[1]) * { us: 0.001, ms: 1, s: 1000, min: 60000, h: 3600000 }[match[2]] : 0;
};
const inKbit = (text) => {
  const match = /^([\d.]+)([kMG]?)bit\/s$/.exec(text ?? "");
  const rate = match ? Number(match[1]) * { "": 0.001, k: 1, M: 1000, G: 1e6 }[match[2]] : Infinity;
  return rate >= 1e7 ? Infinity : rate;
};

function showLine({ link }, all = false) {
  for (const direction of DIRECTIONS) {
    const keys = link[direction], models = [];
    const delay = keys.delay ?? "0s";
    const values = {
      loss: typeof keys.loss === "object" ? null : Number.parseFloat(keys.loss ?? "0"),
      delay: typeof delay === "string" ? inMs(delay) : delay.mean ? inMs(delay.mean) : null,
      jitter: typeof delay === "string" ? 0 : delay.model === "uniform" ? inMs(delay.jitter) : null,
      rate: typeof keys.rate === "object" ? null : inKbit(keys.rate),
    };
    for (const setting of SETTINGS) {
      const own = sliders[direction][setting.name], value = values[setting.name];
      if (value === null) models.push(`${setting.name}: ${(keys[setting.name] ?? delay).model ?? "a trace"}`);
      const busy = performance.now() / 1000 - own.touched_s < 2 || document.activeElement === own.number;
      if (all || !busy) show(setting, own, value ?? 0);
    }
    sliders[direction].model.textContent = models.length ? `By the profile: ${models.join(", ")}` : "";
  }
}

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
  $("same").addEventListener("click", () => {
    for (const { name } of SETTINGS) {
      sliders.down[name].number.value = sliders.up[name].number.value;
      changed("down", name);
    }
  });
  $("reset").addEventListener("click", async () => {
    const keys = Object.keys(status?.overrides ?? {});
    const answer = keys.length ? await call("set", Object.fromEntries(keys.map((key) => [key, null]))) : status;
    if (answer) showLine(answer, true);
  });
  $("load").addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await call("load", { profile: $("profile-name").value });
    if (answer) showLine(answer, true);
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
    item.textContent = `${fault.fault} (${more.filter(Boolean).join("; ")}), ${left}`;
    return item;
  }));
  showLine(state);
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
  const silent = client.silent.map(([direction, what]) => `${what === "message" ? "data" : what} ${direction}`);
  const heard = client.ready ? (silent.length ? `silent: ${silent.join(", ")}` : "all passes") : "not connected yet";
  return `connection ${client.connection}, ${heard}`;
}

function fillTable(card, number, client) {
  const at = Math.floor(now_s()) - 1;
  card.body.replaceChildren(...DIRECTIONS.map((direction) => {
    const row = document.createElement("tr"), last = histories.get(number)?.seconds[direction].get(at);
    const { offered, delivered, dropped, kernel_dropped } = client.links[direction];
    const told = kernel_dropped ? { ...dropped, "by the system": kernel_dropped } : dropped;
    const causes = Object.entries(told).map(([cause, count]) => `${cause} ${count}`).join(", ");
    const packets = last ? KINDS.reduce((sum, kind) => sum + last[kind], 0) : 0;
    const cells = [packets, last ? Math.round(last.bytes * 8 / 1000) : 0, last?.p50 == null ? "–" : Math.round(last.p50 * 1000),
      offered, delivered, causes || "none"];
    row.innerHTML = `<th scope="row">${direction}</th>`;
    cells.forEach((value, index) => {
      const cell = row.insertCell();
      cell.textContent = value;
      if (index === cells.length - 1) cell.className = "causes";
    });
    return row;
  }));
}

function cardOf(number) {
  if (!cards.has(number)) {
    const element = document.createElement("section");
    element.className = "card client";
    element.innerHTML = `<h2>Client ${Number(number)} <span class="state"></span></h2>
      <canvas role="img" aria-label="Packets a second and delay of client ${Number(number)} over time; the numbers are in the table below"></canvas>
      <div class="scroll"><table><thead><tr><th scope="col"><th scope="col">packets/s<th scope="col">kbit/s<th scope="col">delay ms
      <th scope="col">sent<th scope="col">arrived<th scope="col" style="text-align:left">dropped</thead><tbody></tbody></table></div>`;
    $("charts").append(element);
    const find = (what) => element.querySelector(what);
    cards.set(number, { element, canvas: find("canvas"), state: find(".state"), body: find("tbody") });
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
  "client trickle": (event) => `${event.candidates} candidates`,
  "client ice_state": (event) => `ICE of connection ${event.connection} gets answers`,
  "client dtls_state": (event) => `encrypted packets of connection ${event.connection}`,
  "client bot_ready": () => "data pass both ways",
  "policy attempt": (event) => `tries to come back (${event.action.replace("_", " ")})`,
  "probe lost": (event) => `${event.what === "message" ? "data" : event.what} ${event.direction} silent`,
  "probe back": (event) => `${event.what === "message" ? "data" : event.what} ${event.direction} back after ${event.gap_s.toFixed(1)} s`,
  "fault begin": (event) => `${nameOf(event)} begins${event.for ? ` for ${event.for}` : ""}`,
  "fault end": (event) => `${nameOf(event)} ends`,
  "signalling faulted": (event) => `signalling: ${event.how}`,
};
const nameOf = (fault) => fault.how ? `signalling "${fault.how}"` : fault.fault;
const faults = new Map();

function take(event) {
  const key = `${event.source} ${event.kind}`;
  if (event.source.startsWith("link.")) {
    const history = histories.get(String(event.client)) ?? (cardOf(String(event.client)), histories.get(String(event.client)));
    if (event.kind === "rate") history.rate(event.source.slice(5), event);
    if (event.kind === "dropped") history.dropped(event.source.slice(5), event);
    return;
  }
  if (event.source === "fault") takeFault(event);
  if (event.client && MARKS[key]) {
    cardOf(String(event.client));
    histories.get(String(event.client)).marks.push({ t_s: event.t_s, ...MARKS[key](event) });
  }
  if (TOLD[key]) log(event, TOLD[key](event));
}

function takeFault(event) {
  if (event.kind === "begin") {
    const seconds = event.for ? inMs(event.for) / 1000 : event.fault === "rebind" ? 0 : Infinity;
    faults.set(event.index, { at_s: event.t_s, until_s: event.t_s + seconds, name: event.how ?? event.fault, client: event.client });
  } else if (faults.has(event.index)) faults.get(event.index).until_s = event.t_s;
}

function log(event, text) {
  const item = document.createElement("li"), time = document.createElement("time"), words = document.createElement("span");
  time.textContent = `${event.t_s.toFixed(1)} s`;
  words.textContent = event.client ? `Client ${event.client}: ${text}` : text;
  item.append(time, words);
  $("log").prepend(item);
  while ($("log").children.length > 200) $("log").lastChild.remove();
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

function makeLegend() {
  const names = { media: "media", data: "data channel", stun: "ICE checks", other: "other", lost: "dropped", fault: "a fault" };
  const bars = Object.entries(names).map(([key, name]) => `<span><i style="background:var(--${key})"></i>${name}</span>`);
  const lines = [["media", "", "delay up"], ["data", "dashed", "delay down"]].map(([key, dashed, name]) =>
    `<span><i class="line ${dashed}" style="border-color:var(--${key})"></i>${name}</span>`);
  $("legend").innerHTML = [...bars, ...lines].join("");
}

makeSliders();
makeLegend();
wireButtons();
listen();
setInterval(drawAll, 250);
