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
    const what = [nameOf(fault.kind), ["up", "down"].find((way) => way === fault.direction)].filter(Boolean).join(" ");
    item.textContent = fault.for_s === null ? `${what}, until you end it` : `${what}, for ${fault.for_s} s`;
    return item;
  }));
}

function showClients(clients) {
  clients.sort((one, other) => one.idle_s - other.idle_s || other.since_s - one.since_s);
  const rows = clients.slice(0, MOST_CLIENTS).map((client) =>
    [client.client, client.outside, client.up, client.down, Math.round(client.since_s), Math.round(client.idle_s)]);
  fill($("flows"), rows);
  $("flows").hidden = !clients.length;
  $("nobody").hidden = clients.length > 0;
  $("more").textContent = clients.length > MOST_CLIENTS ? `and ${clients.length - MOST_CLIENTS} more, idle for longer` : "";
}

// ---- what is told ----

function count(event) {
  const rows = [];
  for (const direction of DIRECTIONS) {
    const now = event[direction], was = before?.[direction];
    const passed = was ? now.delivered - was.delivered : 0, bytes = was ? now.bytes - was.bytes : 0;
    now.causes = now.kernel_dropped ? { ...now.dropped, "by the system": now.kernel_dropped } : now.dropped;
    if (was) {
      const at_s = event.t_s - 0.5; // a row is told of at the end of its second
      Object.assign(history_.second(direction, at_s), { media: passed, bytes, p50: now.delay_p50_s ?? null, p99: now.delay_p99_s ?? null });
      for (const [cause, number] of Object.entries(now.causes)) {
        const more = number - (was.causes[cause] ?? 0);
        if (more) history_.dropped(direction, at_s, cause, more);
      }
    }
    const { ms, causes } = inTable;
    rows.push([direction, passed, Math.round(bytes * 8 / 1000), ms(now.delay_p50_s), ms(now.delay_p99_s), now.offered, now.delivered,
      causes(now.dropped, now.kernel_dropped)]);
  }
  before = { up: event.up, down: event.down };
  fill($("counts"), rows);
}

const both = (event) => event.directions.join(" and ");
const nameOf = (kind) => kind === "pause" ? "hold" : kind;
const TOLD = {
  mapped: (event) => `${event.client} came, and is ${event.outside} to the target`,
  unmapped: (event) => `${event.client} was idle and is forgotten, after ${event.up} ${event.up === 1 ? "packet" : "packets"} up and ${event.down} down`,
  fault_begin: (event) => `${nameOf(event.fault)} begins`,
  fault_end: (event) => `${nameOf(event.fault)} ends`,
  set: (event) => Object.entries(event.settings).map(([key, value]) => value === null ? `${key} taken away` : `${key} = ${JSON.stringify(value)}`).join(", "),
  load: (event) => `the profile ${event.profile} begins, seed ${event.seed}`,
  rebind: (event) => `${event.clients === 1 ? "1 client" : `${event.clients} clients`} seen from another ${event.what}`,
  pause: (event) => `packets held${event.for_s === null ? "" : ` for ${event.for_s} s`}: ${both(event)}`,
  resume: (event) => `packets let go: ${both(event)}`,
  slow: () => "the system refuses a higher priority: packets may be late when it is busy",
  trouble: (event) => `trouble at the ${event.where}: ${event.why}${event.times > 1 ? `, ${event.times} times` : ""}`,
};

function take(event) {
  if (event.kind === "stats") count(event);
  const name = event.number === undefined ? `profile ${event.index}` : `command ${event.number}`;
  if (event.kind === "fault_begin") history_.faults.set(name, { at_s: event.t_s, until_s: Infinity, name: nameOf(event.fault) });
  if (event.kind === "fault_end" && history_.faults.has(name)) history_.faults.get(name).until_s = event.t_s;
  if (event.kind === "pause" || event.kind === "resume") takeHold(event);
  if (event.kind === "rebind") history_.marks.push({ t_s: event.t_s, name: "rebind" });
  if (TOLD[event.kind]) tell(event.t_s, TOLD[event.kind](event));
  if (["set", "pause", "resume"].includes(event.kind) || event.kind.startsWith("fault")) look();
}

// Of two holds of one direction the later counts; one is over when it holds neither any more.
function takeHold(event) {
  for (const fault of history_.faults.values()) {
    if (!fault.held?.length) continue;
    fault.held = fault.held.filter((way) => !event.directions.includes(way));
    if (!fault.held.length) fault.until_s = event.t_s;
  }
  if (event.kind === "resume") return;
  const name = event.directions.length === 1 ? `hold ${event.directions[0]}` : "hold";
  history_.faults.set(`hold ${event.number}`, { at_s: event.t_s, until_s: Infinity, name, held: event.directions });
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

function drawAll() {
  if (document.hidden || offset_s === null) return;
  history_.forget(now_s() - SHOWN_S - 5);
  draw($("picture"), history_, now_s());
}

makeSliders();
makeLegend({ media: "arrived" });
wireButtons();
listen();
look();
setInterval(look, 1000);
setInterval(drawAll, 250);
