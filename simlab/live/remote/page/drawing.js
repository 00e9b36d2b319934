// What is drawn of one client: packets a second each way by what they are, what was lost, and the delay.

const SHOWN_S = 120;
const KINDS = ["media", "data", "stun", "other"];
const KIND_OF = (name) => name.startsWith("rt") ? "media" : name === "dtls.data" ? "data" : name.startsWith("stun") ? "stun" : "other";
const DIRECTIONS = ["up", "down"];

// Seconds of one client, by direction: what left the link, and what was dropped of it.
class History {
  constructor() {
    this.seconds = { up: new Map(), down: new Map() };
    this.marks = [];
    this.faults = new Map();
  }
  second(direction, t_s) {
    const seconds = this.seconds[direction], key = Math.floor(t_s);
    if (!seconds.has(key)) seconds.set(key, { media: 0, data: 0, stun: 0, other: 0, bytes: 0, lost: 0, causes: {}, p50: null, p95: null });
    return seconds.get(key);
  }
  rate(direction, event) {
    // A row is told of at the end of its second.
    const second = this.second(direction, event.t_s - 0.5);
    for (const [name, count] of Object.entries(event.packets)) second[KIND_OF(name)] += count;
    for (const bytes of Object.values(event.bytes)) second.bytes += bytes;
    second.p50 = event.delay_p50_s;
    second.p95 = event.delay_p95_s;
  }
  dropped(direction, event) {
    const second = this.second(direction, event.t_s);
    second.lost += 1;
    second.causes[event.cause] = (second.causes[event.cause] ?? 0) + 1;
  }
  forget(before_s) {
    for (const seconds of Object.values(this.seconds)) {
      for (const key of seconds.keys()) if (key < before_s) seconds.delete(key);
    }
    this.marks = this.marks.filter((mark) => mark.t_s >= before_s);
    for (const [index, fault] of this.faults) if (fault.until_s < before_s) this.faults.delete(index);
  }
}

function draw(canvas, history, now_s) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width) return;
  if (canvas.width !== width * ratio || canvas.height !== height * ratio) {
    canvas.width = width * ratio;
    canvas.height = height * ratio;
  }
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const left = 50, right = width - 6, top = 18, bottom = height - 18;
  const shown_s = width < 500 ? SHOWN_S / 2 : SHOWN_S;
  const from_s = Math.max(0, now_s - shown_s);
  const x = (t_s) => left + (right - left) * (t_s - from_s) / shown_s;
  const lane = (bottom - top) / 3;
  ctx.font = "11px system-ui, sans-serif";
  ctx.textBaseline = "middle";
  bands();
  const most = Math.max(10, ...DIRECTIONS.flatMap((way) => seen(way).map(([, s]) => KINDS.reduce((sum, kind) => sum + s[kind], s.lost))));
  rates("up", top, lane - 8);
  rates("down", top + lane, lane - 8);
  delays(top + 2 * lane, lane - 8);
  marks();
  axis();

  function seen(direction) {
    return [...history.seconds[direction]].filter(([key]) => key >= from_s - 1);
  }
  function bands() {
    let free = left;
    for (const fault of history.faults.values()) {
      const from = Math.max(left, x(fault.at_s)), until = Math.min(right, x(Math.min(fault.until_s, now_s)));
      if (until < left) continue;
      ctx.fillStyle = colour("fault");
      ctx.fillRect(from, top, Math.max(2, until - from), bottom - top);
      const wide = ctx.measureText(fault.name).width, at = Math.min(from, right - wide);
      if (at < free) continue; // it would stand over the one before
      free = at + wide + 6;
      ctx.fillStyle = colour("lost");
      ctx.textAlign = "left";
      ctx.fillText(fault.name, at, 8);
    }
  }
  function rates(direction, y, size) {
    ctx.strokeStyle = colour("line");
    line(left, y + size, right, y + size);
    const one = (right - left) / shown_s;
    for (const [key, second] of seen(direction)) {
      let from = y + size;
      for (const name of [...KINDS, "lost"]) {
        const tall = second[name] / most * size;
        if (!tall) continue;
        ctx.fillStyle = colour(name);
        const begin = Math.max(left, x(key));
        ctx.fillRect(begin, from - tall, Math.max(0, Math.min(right, x(key + 1)) - begin - (one > 4 ? 1 : 0)), tall);
        from -= tall;
      }
    }
    label(direction, `${most}/s`, y, size);
  }
  function delays(y, size) {
    ctx.strokeStyle = colour("line");
    line(left, y + size, right, y + size);
    const all = DIRECTIONS.flatMap((way) => seen(way).map(([, s]) => s.p95 ?? 0));
    const most_s = Math.max(0.02, ...all);
    for (const direction of DIRECTIONS) {
      ctx.strokeStyle = colour(direction === "up" ? "media" : "data");
      ctx.lineWidth = 1.5;
      ctx.setLineDash(direction === "up" ? [] : [4, 3]);
      let last = null;
      for (const [key, second] of seen(direction).sort(([a], [b]) => a - b)) {
        if (second.p50 === null || key < from_s) { last = null; continue; }
        const at = [x(key + 0.5), y + size - second.p50 / most_s * size];
        if (last && key - last.key === 1) line(...last.at, ...at);
        else line(at[0] - 1, at[1], at[0] + 1, at[1]);
        last = { key, at };
      }
    }
    ctx.lineWidth = 1;
    ctx.setLineDash([]);
    label("delay", most_s < 1 ? `${Math.round(most_s * 1000)} ms` : `${most_s.toFixed(1)} s`, y, size);
  }
  function label(name, largest, y, size) {
    ctx.textAlign = "right";
    ctx.fillStyle = colour("ink");
    ctx.fillText(name, left - 5, y + size / 2);
    ctx.fillStyle = colour("dim");
    ctx.fillText(largest, left - 5, y + 6);
  }
  function marks() {
    let free = left;
    for (const mark of history.marks) {
      if (mark.t_s < from_s) continue;
      ctx.strokeStyle = colour(mark.bad ? "lost" : "ink");
      ctx.setLineDash([2, 2]);
      line(x(mark.t_s), top, x(mark.t_s), bottom);
      ctx.setLineDash([]);
      const wide = ctx.measureText(mark.name).width, at = Math.min(x(mark.t_s) + 3, right - wide);
      if (at < free) continue;
      free = at + wide + 6;
      ctx.fillStyle = ctx.strokeStyle;
      ctx.textAlign = "left";
      ctx.fillText(mark.name, at, top + lane - 2);
    }
  }
  function axis() {
    ctx.fillStyle = colour("dim");
    ctx.textAlign = "center";
    const step = shown_s > 60 ? 20 : 10;
    for (let t_s = Math.ceil(from_s / step) * step; t_s <= now_s; t_s += step) {
      if (t_s >= 0 && x(t_s) > left + 12 && x(t_s) < right - 14) ctx.fillText(`${t_s} s`, x(t_s), height - 7);
    }
  }
  function line(x1, y1, x2, y2) {
    ctx.beginPath();
    ctx.moveTo(x1, y1);
    ctx.lineTo(x2, y2);
    ctx.stroke();
  }
}
