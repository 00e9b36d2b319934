// The picture: packets a second each way, the delay each way, and a row for each cause of drops.

const PLACE = { left: 54, right: 6, top: 30, gap: 17, rate: 50, delay: 40, cause: 14, axis: 18 };
const PACKETS_LEAST = 10, DELAY_LEAST_S = 0.02, DROPS_LEAST = 5;
let hatching = null;

// The pattern of what is dropped: it differs from what arrived in grey, too.
function hatched(ctx, colour) {
  if (hatching?.colour !== colour) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 4;
    const on = tile.getContext("2d");
    on.globalAlpha = 0.3;
    on.fillStyle = colour;
    on.fillRect(0, 0, 4, 4);
    on.globalAlpha = 1;
    for (let i = 0; i < 4; i += 1) {
      on.fillRect(i, 3 - i, 1, 1);
      on.fillRect((i + 1) % 4, 3 - i, 1, 1);
    }
    hatching = { colour, pattern: ctx.createPattern(tile, "repeat") };
  }
  return hatching.pattern;
}

function prepared(canvas, height) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth;
  if (canvas.style.height !== `${height}px`) canvas.style.height = `${height}px`;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  ctx.font = "11px system-ui, sans-serif";
  ctx.textBaseline = "middle";
  return ctx;
}

function draw(canvas, history, now_s) {
  const width = canvas.clientWidth;
  if (!width) return;
  const shown_s = width < 500 ? SHOWN_S / 2 : SHOWN_S, from_s = Math.max(0, now_s - shown_s);
  const rows = byCause(history, from_s - 1);
  const { left, top, gap } = PLACE, right = width - PLACE.right;
  const bottom = top + 2 * (gap + PLACE.rate) + 2 * (gap + PLACE.delay) + rows.length * (gap + 2 * PLACE.cause);
  const height = bottom + 4 + PLACE.axis, ctx = prepared(canvas, height);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const x = (t_s) => left + (right - left) * (t_s - from_s) / shown_s;
  const wide = (right - left) / shown_s;

  faults();
  let y = top;
  const seen = Object.fromEntries(DIRECTIONS.map((way) => [way, history.since(way, from_s - 1)]));
  const sums = DIRECTIONS.map((way) => new Map(seen[way].map(([key, s]) => [key, KINDS.reduce((sum, kind) => sum + s[kind], s.lost)])));
  const most = topOf(sums, PACKETS_LEAST);
  DIRECTIONS.forEach((way, index) => {
    y += gap;
    rates(way, sums[index]);
    y += PLACE.rate;
  });
  const most_s = topOf(DIRECTIONS.map((way) => new Map(seen[way].map(([key, s]) => [key, s.p99 ?? s.p50 ?? 0]))), DELAY_LEAST_S);
  for (const way of DIRECTIONS) {
    y += gap;
    delays(way);
    y += PLACE.delay;
  }
  for (const row of rows) {
    y += gap;
    drops(row);
    y += 2 * PLACE.cause;
  }
  marks();
  axis();

  function bar(key, from, tall, fill) {
    const begin = Math.max(left, x(key)), end = Math.min(right, x(key + 1)) - (wide > 4 ? 1 : 0);
    ctx.fillStyle = fill;
    if (end > begin) ctx.fillRect(begin, from, end - begin, tall);
  }
  function rates(way, sum) {
    const foot = y + PLACE.rate, high = [];
    for (const [key, second] of seen[way]) {
      let from = foot;
      for (const name of [...KINDS, "lost"]) {
        const tall = Math.min(second[name] / most * PLACE.rate, from - y);
        if (tall > 0) bar(key, from - tall, tall, name === "lost" ? hatched(ctx, colour("lost")) : colour(name));
        from -= tall;
      }
      if (sum.get(key) > most) high.push([x(key + 0.5), sum.get(key)]);
    }
    base(foot);
    cutOff(high, (value) => `${value}/s`);
    label("packets", way, `${most}/s`, PLACE.rate);
  }
  function delays(way) {
    const foot = y + PLACE.delay, ms = (value_s) => value_s < 1 ? `${Math.round(value_s * 1000)} ms` : `${Number(value_s.toFixed(2))} s`;
    base(foot);
    const high = [];
    for (const [name, thick, dashes] of [["p99", 1, [3, 2]], ["p50", 1.8, []]]) {
      ctx.strokeStyle = colour("delay");
      ctx.lineWidth = thick;
      ctx.setLineDash(dashes);
      ctx.beginPath();
      let last = null;
      for (const [key, second] of seen[way]) {
        const value_s = second[name] ?? null;
        if (value_s === null || key < from_s) continue;
        const to = x(key + 0.5), at = foot - Math.min(value_s / most_s, 1) * PLACE.delay;
        if (last === key - 1) ctx.lineTo(to, at);
        else { ctx.moveTo(to - 1, at); ctx.lineTo(to + 1, at); }
        last = key;
        if (name === "p99" && value_s > most_s) high.push([to, value_s]);
      }
      ctx.stroke();
    }
    ctx.lineWidth = 1;
    ctx.setLineDash([]);
    cutOff(high, ms);
    label("delay", way, ms(most_s), PLACE.delay);
  }
  function drops(row) {
    const middle = y + PLACE.cause, counts = {}, high = [];
    const mostDrops = topOf(DIRECTIONS.map((way) => row[way]), DROPS_LEAST);
    for (const way of DIRECTIONS) {
      counts[way] = [...row[way].values()].reduce((sum, count) => sum + count, 0);
      for (const [key, count] of row[way]) {
        const tall = Math.min(count / mostDrops, 1) * PLACE.cause;
        bar(key, way === "up" ? middle - tall : middle, tall, hatched(ctx, colour("lost")));
        if (count > mostDrops) high.push([x(key + 0.5), count]);
      }
    }
    base(middle);
    const words = `dropped, ${row.cause}: ${DIRECTIONS.filter((way) => counts[way]).map((way) => `${counts[way]} ${way}`).join(", ")}`;
    write(words, left + 2, y - 7, "left", "ink");
    cutOff(high, (value) => `${value}/s`, left + 2 + ctx.measureText(words).width + 8);
    write(`${mostDrops}/s`, left - 5, y - 7, "right", "dim");
    write("up", left - 5, middle - PLACE.cause / 2, "right", "ink");
    write("down", left - 5, middle + PLACE.cause / 2, "right", "ink");
  }
  // Says how high it goes on above what is cut off: the highest of those that are near to each other.
  function cutOff(high, text, free = left) {
    const taken = [];
    for (const [at, value] of high.sort(([, one], [, other]) => other - one)) {
      const words = `↑ ${text(value)}`, half = ctx.measureText(words).width / 2;
      const middle = Math.min(Math.max(at, left + half), right - half);
      if (middle - half < free || taken.some(([from, until]) => middle + half + 4 > from && middle - half - 4 < until)) continue;
      taken.push([middle - half, middle + half]);
      write(words, middle, y - 7, "center", "ink");
    }
  }
  function faults() {
    let free = left;
    for (const fault of [...history.faults.values()].sort((one, other) => one.at_s - other.at_s)) {
      const from = Math.max(left, x(fault.at_s)), until = Math.min(right, x(Math.min(fault.until_s, now_s)));
      if (until < left) continue;
      ctx.fillStyle = colour("fault");
      ctx.fillRect(from, top, Math.max(2, until - from), bottom - top);
      free = named(fault.name, from, 8, "lost", free, until);
    }
  }
  function marks() {
    let free = left;
    for (const mark of history.marks) {
      if (mark.t_s < from_s) continue;
      ctx.strokeStyle = colour(mark.bad ? "lost" : "ink");
      ctx.setLineDash([2, 2]);
      line(x(mark.t_s), top, x(mark.t_s), bottom);
      ctx.setLineDash([]);
      free = named(mark.name, x(mark.t_s), 21, mark.bad ? "lost" : "ink", free);
    }
  }
  // Writes a name where there is room for it, at its beginning or above the rest of it; returns where the next may begin.
  function named(name, from, at_y, ink, free, until = from) {
    const at = Math.min(Math.max(from, free), right - ctx.measureText(name).width);
    if (at < free || at > Math.max(from, until)) return free;
    write(name, at, at_y, "left", ink);
    return at + ctx.measureText(name).width + 6;
  }
  function label(what, way, largest, size) {
    write(what, left - 5, y + size / 2 - 4, "right", "ink");
    write(way, left - 5, y + size / 2 + 8, "right", "ink");
    write(largest, left - 5, y, "right", "dim");
  }
  function axis() {
    const step = shown_s > 60 ? 20 : 10;
    for (let t_s = Math.ceil(from_s / step) * step; t_s <= now_s; t_s += step) {
      if (x(t_s) > left + 12 && x(t_s) < right - 14) write(`${t_s} s`, x(t_s), height - 8, "center", "dim");
    }
  }
  function write(text, at, at_y, align, ink) {
    ctx.textAlign = align;
    ctx.fillStyle = colour(ink);
    ctx.fillText(text, at, at_y);
  }
  function base(at_y) {
    ctx.strokeStyle = colour("line");
    line(left, at_y, right, at_y);
  }
  function line(x1, y1, x2, y2) {
    ctx.beginPath();
    ctx.moveTo(x1, y1);
    ctx.lineTo(x2, y2);
    ctx.stroke();
  }
}

function makeLegend(kinds) {
  const bars = Object.entries(kinds).map(([key, name]) => `<span><i style="background:var(--${key})"></i>${name}</span>`);
  const others = [["hatched", "dropped"], ["fault", "a fault"], ["line", "delay: median"], ["line dashed", "delay: p99"]];
  $("legend").innerHTML = [...bars, ...others.map(([look, name]) => `<span><i class="${look}"></i>${name}</span>`)].join("");
}
