// What every live page has: commands, and the sliders of both directions.
//
// A page has a function linkOf(answer), which returns the settings of each direction from an answer to "set".

const token = new URLSearchParams(location.search).get("token");
const $ = (id) => document.getElementById(id);

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
  { name: "loss", unit: "%", max: 100, step: 0.5, most: 100 },
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
  const own = { range, number, touched_s: -Infinity, typing: false };
  (sliders[direction] ??= {})[setting.name] = own;
  if (setting.name === "rate") number.placeholder = "no limit";
  range.addEventListener("input", () => {
    const value = setting.name === "rate" ? RATES[range.value] : Number(range.value);
    number.value = value === Infinity ? "" : value;
    spoken(setting, own, value);
    changed(direction, setting.name);
  });
  number.addEventListener("input", () => { own.typing = true; });
  number.addEventListener("blur", () => { own.typing = false; });
  number.addEventListener("change", () => {
    own.typing = false;
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
let shownLink = null;
let timer = null;
let sending = Promise.resolve(); // one change after the other, as they were made

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
  timer = setTimeout(() => { sending = sending.then(send); }, 150);
}

async function send() {
  const began_s = performance.now() / 1000;
  const settings = { ...pending };
  for (const key of Object.keys(pending)) delete pending[key];
  let answer = await call("set", settings);
  // Without a limit, the profile's own counts again; where it has one, that takes another command.
  const limited = DIRECTIONS.filter((way) => answer && settings[`link.${way}.rate`] === null && linkOf(answer)[way].rate);
  if (limited.length) answer = await call("set", Object.fromEntries(limited.map((way) => [`link.${way}.rate`, UNLIMITED])));
  if (answer) showLine(linkOf(answer), began_s);
  else if (shownLink) showLine(shownLink, began_s);
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

// Shows what holds, but for what has been moved since then, or is being typed.
function showLine(link, since_s = performance.now() / 1000 - 2) {
  shownLink = link;
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
      if (own.touched_s <= since_s && !own.typing) show(setting, own, value ?? 0);
    }
    sliders[direction].model.textContent = models.length ? `By the profile: ${models.join(", ")}` : "";
  }
}

function copyDown() {
  for (const { name } of SETTINGS) {
    sliders.down[name].number.value = sliders.up[name].number.value;
    changed("down", name);
  }
}
