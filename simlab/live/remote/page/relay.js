// The live page of a relay: any number of clients, and one line each way for all of them.

const MOST_CLIENTS = 20;
const history_ = new History();
let offset_s = null; // the relay's time, less ours
let before = null; // the counts of a second ago
const now_s = () => performance.now() / 1000 + offset_s;
const linkOf = (table) => ({ up: table.up ?? table, down: table.down ?? table });

// ---- what is asked ----

async function ask(command) {
  const response = await fetch(`api/${command}?token=${token}`);
  if (!response.ok) throw new Error(String(response.status));
  return (await response.json()).answer;
}

async function look() {
  try {
    const [status, clients, settings] = await Promise.all([ask("status"), ask("clients"), ask("settings")]);
    showStatus(status);
    showClients(clients);
    showLine(linkOf(settings));
    $("link-state").textContent = "";
  } catch {
    $("link-state").textContent = "No connection to simlab.";
  }
}

function showStatus(status) {
  offset_s = status.since_s - performance.now() / 1000;
  $("about").textContent = `${status.listen} → ${status.to}`;
  $("profile").textContent = `${status.profile}, seed ${status.seed}, since ${status.profile_since_s.toFixed(0)} s`;
  $("clear").disabled = !status.faults.length;
  $("active").replaceChildren(...status.faults.map((fault) => {
    const item = document.createElement("li");
    item.textContent = fault.for_s === null ? `${fault.kind}, until you end it` : `${fault.kind}, for ${fault.for_s} s`;
    return item;
  }));
}

function showClients(clients) {
  clients.sort((one, other) => one.idle_s - other.idle_s || other.since_s - one.since_s);
  const rows = clients.slice(0, MOST_CLIENTS).map((client) =>
    [client.client, client.outside, client.up, client.down, Math.round(client.since_s), Math.round(client.idle_s)]);
  fill($("flows").tBodies[0], rows);
  $("flows").hidden = !clients.length;
  $("nobody").hidden = clients.length > 0;
  $("more").textContent = clients.length > MOST_CLIENTS ? `and ${clients.length - MOST_CLIENTS} more, idle for longer` : "";
}

function fill(body, rows) {
  body.replaceChildren(...rows.map((values) => {
    const row = document.createElement("tr"), head = document.createElement("th");
    head.scope = "row";
    head.textContent = values[0];
    row.append(head);
    for (const value of values.slice(1)) row.insertCell().textContent = value;
    return row;
  }));
}

// ---- what is told ----

function count(event) {
  const rows = [];
  for (const direction of DIRECTIONS) {
    const now = event[direction], was = before?.[direction];
    const dropped = now.kernel_dropped ? { ...now.dropped, "by the system": now.kernel_dropped } : now.dropped;
    const lost = Object.values(dropped).reduce((sum, number) => sum + number, 0);
    const ms = (value_s) => value_s === undefined ? "–" : (value_s * 1000).toFixed(value_s < 0.01 ? 1 : 0);
    const passed = was ? now.delivered - was.delivered : 0, bytes = was ? now.bytes - was.bytes : 0;
    if (was) {
      // A row is told of at the end of its second.
      const second = history_.second(direction, event.t_s - 0.5);
      Object.assign(second, { media: passed, bytes, lost: lost - was.lost, p50: now.delay_p50_s ?? null, p95: now.delay_p99_s ?? null });
    }
    now.lost = lost;
    const causes = Object.entries(dropped).map(([cause, number]) => `${cause} ${number}`).join(", ");
    rows.push([direction, passed, Math.round(bytes * 8 / 1000), ms(now.delay_p50_s), ms(now.delay_p99_s), now.offered, now.delivered, causes || "none"]);
  }
  before = { up: event.up, down: event.down };
  fill($("counts"), rows);
  for (const row of $("counts").rows) row.lastElementChild.className = "causes";
}

const TOLD = {
  mapped: (event) => `${event.client} came, and is ${event.outside} to the target`,
  unmapped: (event) => `${event.client} was idle and is forgotten, after ${event.up} packets up and ${event.down} down`,
  fault_begin: (event) => `${event.fault} begins`,
  fault_end: (event) => `${event.fault} ends`,
  set: (event) => Object.entries(event.settings).map(([key, value]) => value === null ? `${key} taken away` : `${key} = ${JSON.stringify(value)}`).join(", "),
  load: (event) => `the profile ${event.profile} begins, seed ${event.seed}`,
  rebind: (event) => `${event.clients} clients seen from another ${event.what}`,
  pause: (event) => `packets held: ${event.directions.join(" and ")}`,
  resume: (event) => `packets let go: ${event.directions.join(" and ")}`,
  slow: () => "the system refuses a higher priority: packets may be late when it is busy",
  trouble: (event) => `trouble at the ${event.where}: ${event.why}`,
};

function take(event) {
  if (event.kind === "stats") count(event);
  const name = event.number === undefined ? `profile ${event.index}` : `command ${event.number}`;
  if (event.kind === "fault_begin") history_.faults.set(name, { at_s: event.t_s, until_s: Infinity, name: event.fault });
  if (event.kind === "fault_end" && history_.faults.has(name)) history_.faults.get(name).until_s = event.t_s;
  if (event.kind === "rebind") history_.marks.push({ t_s: event.t_s, name: "rebind" });
  if (TOLD[event.kind]) tell(event.t_s, TOLD[event.kind](event));
  if (event.kind === "set" || event.kind.startsWith("fault")) look();
}

function tell(t_s, text) {
  const item = document.createElement("li"), time = document.createElement("time"), words = document.createElement("span");
  time.textContent = `${t_s.toFixed(1)} s`;
  words.textContent = text;
  item.append(time, words);
  $("log").prepend(item);
  while ($("log").children.length > 200) $("log").lastChild.remove();
}

// ---- what is pressed ----

function wireButtons() {
  for (const button of document.querySelectorAll("button[data-do]")) {
    button.addEventListener("click", async () => {
      const command = button.dataset.do, given = {};
      if (command !== "rebind") given.direction = $("direction").value;
      if (!["rebind", "resume"].includes(command)) given.for = `${$("for-s").value}s`;
      await call(command, given);
      await look();
    });
  }
  $("clear").addEventListener("click", async () => { await call("clear"); await look(); });
  $("same").addEventListener("click", copyDown);
  $("file").addEventListener("change", async () => {
    const [file] = $("file").files;
    if (!file) return;
    const answer = await call("load", { toml: await file.text(), name: file.name });
    $("file").value = "";
    if (answer?.notes.length) tellFaults(answer.notes);
    await look();
  });
}

function listen() {
  const source = new EventSource(`api/events?token=${token}`);
  source.onmessage = (message) => take(JSON.parse(message.data));
  source.onopen = () => { before = null; }; // what was missed belongs to no second
}

function makeLegend() {
  const names = { media: "arrived", lost: "dropped", fault: "a fault" };
  const bars = Object.entries(names).map(([key, name]) => `<span><i style="background:var(--${key})"></i>${name}</span>`);
  const lines = [["media", "", "delay up"], ["data", "dashed", "delay down"]].map(([key, dashed, name]) =>
    `<span><i class="line ${dashed}" style="border-color:var(--${key})"></i>${name}</span>`);
  $("legend").innerHTML = [...bars, ...lines].join("");
}

function drawAll() {
  if (document.hidden || offset_s === null) return;
  history_.forget(now_s() - SHOWN_S - 5);
  draw($("picture"), history_, now_s());
}

makeSliders();
makeLegend();
wireButtons();
listen();
look();
setInterval(look, 1000);
setInterval(drawAll, 250);
