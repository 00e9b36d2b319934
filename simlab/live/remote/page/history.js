// What is drawn, second by second and each way: what left the link, what was dropped of it and why, and the delay.

const SHOWN_S = 120;
const KINDS = ["media", "data", "stun", "other"];
const KIND_OF = (name) => name.startsWith("rt") ? "media" : name === "dtls.data" ? "data" : name.startsWith("stun") ? "stun" : "other";
const DIRECTIONS = ["up", "down"];
const MOST_CAUSES = 5;

class History {
  constructor() {
    this.seconds = { up: new Map(), down: new Map() };
    this.marks = [];
    this.faults = new Map();
  }
  second(direction, t_s) {
    const seconds = this.seconds[direction], key = Math.floor(t_s);
    if (!seconds.has(key)) seconds.set(key, { media: 0, data: 0, stun: 0, other: 0, bytes: 0, lost: 0, causes: {}, p50: null, p99: null });
    return seconds.get(key);
  }
  rate(direction, event) {
    // A row is told of at the end of its second.
    const second = this.second(direction, event.t_s - 0.5);
    for (const [name, count] of Object.entries(event.packets)) second[KIND_OF(name)] += count;
    for (const bytes of Object.values(event.bytes)) second.bytes += bytes;
    second.p50 = event.delay_p50_s;
    second.p99 = event.delay_p99_s;
  }
  dropped(direction, t_s, cause, count = 1) {
    const second = this.second(direction, t_s);
    second.lost += count;
    second.causes[cause] = (second.causes[cause] ?? 0) + count;
  }
  since(direction, from_s) {
    return [...this.seconds[direction]].filter(([key]) => key >= from_s).sort(([a], [b]) => a - b);
  }
  forget(before_s) {
    for (const seconds of Object.values(this.seconds)) {
      for (const key of seconds.keys()) if (key < before_s) seconds.delete(key);
    }
    this.marks = this.marks.filter((mark) => mark.t_s >= before_s);
    for (const [index, fault] of this.faults) if (fault.until_s < before_s) this.faults.delete(index);
  }
}

// The drops of each cause, each way: a cause is named with its counts by second. Those beyond the most frequent are one.
function byCause(history, from_s) {
  const causes = new Map();
  for (const direction of DIRECTIONS) {
    for (const [key, second] of history.since(direction, from_s)) {
      for (const [cause, count] of Object.entries(second.causes)) {
        if (!causes.has(cause)) causes.set(cause, { cause, total: 0, up: new Map(), down: new Map() });
        const row = causes.get(cause);
        row.total += count;
        row[direction].set(key, (row[direction].get(key) ?? 0) + count);
      }
    }
  }
  const rows = [...causes.values()].sort((one, other) => other.total - one.total);
  if (rows.length <= MOST_CAUSES) return rows.sort((one, other) => one.cause < other.cause ? -1 : 1);
  const rest = { cause: "other causes", total: 0, up: new Map(), down: new Map() };
  for (const row of rows.slice(MOST_CAUSES - 1)) {
    rest.total += row.total;
    for (const way of DIRECTIONS) for (const [key, count] of row[way]) rest[way].set(key, (rest[way].get(key) ?? 0) + count);
  }
  return [...rows.slice(0, MOST_CAUSES - 1).sort((one, other) => one.cause < other.cause ? -1 : 1), rest];
}

// The top of a scale. What lasts for three seconds fits, and so do nine of ten values of each series; a shorter burst
// that is much higher does not flatten all else for as long as it is in sight: who draws it cuts it off, and says so.
function topOf(series, least) {
  let usual = least, most = least;
  for (const values of series) {
    const all = [...values.values()].filter((value) => value > 0).sort((a, b) => a - b);
    if (!all.length) continue;
    most = Math.max(most, all.at(-1));
    usual = Math.max(usual, all[all.length <= 3 ? all.length - 1 : Math.min(all.length - 3, Math.floor(0.9 * (all.length - 1)))]);
    for (const [key, value] of values) usual = Math.max(usual, Math.min(value, values.get(key + 1) ?? 0, values.get(key + 2) ?? 0));
  }
  return rounded(most > 1.5 * usual ? 1.2 * usual : most);
}

// The next number that is easily read.
function rounded(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((one) => one * power >= value * (1 - 1e-9));
  return Number((step * power).toPrecision(3));
}
