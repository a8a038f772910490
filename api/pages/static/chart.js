/* The drawing of the server, drawn again with Observable Plot so that it fits its place and answers the pointer.
   Its data are those of the table beside it. */

const SCALES = [[1e12, "tn"], [1e9, "bn"], [1e6, "m"], [1, ""]];
let plot = null;

async function library() {
  await import("./vendor/d3/d3.min.js");
  await import("./vendor/plot/plot.umd.min.js");
  return globalThis.Plot;
}

const day = (text) => (text ? new Date(text) : null);
const number = (text) => (text === "" || text === undefined ? null : Number(text));
const rows = (figure, name) => [...figure.querySelectorAll(`table[${name}] tr[data-value]`)].map((row) => row.dataset);

function read(figure) {
  const { dataset } = figure;
  const points = rows(figure, "data-points").map((d) => ({
    ...d, said: day(d.said), covers: day(d.covers), value: Number(d.value), low: number(d.low), high: number(d.high), counts: "counts" in d,
  }));
  const steps = rows(figure, "data-steps").map((d) => ({
    ...d, since: day(d.since), until: day(d.until), value: Number(d.value), low: number(d.low), high: number(d.high),
  }));
  const targets = rows(figure, "data-targets").map((d) => ({
    ...d, since: day(d.since), until: d.until.startsWith("9999") ? null : day(d.until), value: Number(d.value), upper: number(d.upper),
  }));
  const window_ = { start: day(dataset.windowStart), end: day(dataset.windowEnd), latest: day(dataset.windowLatest) };
  const original = { end: day(dataset.originalEnd), latest: day(dataset.originalLatest) };
  return { points, steps, targets, window: window_, original, asOf: day(dataset.asOf), cumulative: "cumulative" in dataset };
}

/** The first and last day and value of the drawing; years in which nothing happened are left out. */
function reach({ points, steps, targets, window: w, original, asOf }) {
  const days = [...points.flatMap((p) => [p.said, p.covers]), ...steps.map((s) => s.since), w.start, w.end, w.latest, original.end, original.latest]
    .filter(Boolean).map(Number);
  const last = days.length ? Math.max(...days) : Number(asOf);
  const end = Number(asOf) > last ? Math.min(Number(asOf), last + 120 * 864e5) : last;
  const first = Math.min(...days, Number(asOf), end - 60 * 864e5);
  const values = [...points.flatMap((p) => [p.value, p.high]), ...steps.map((s) => s.value), ...targets.flatMap((t) => [t.value, t.upper])];
  return { x: [new Date(first), new Date(end + 12 * 864e5)], y: [0, Math.max(...values.filter((v) => v !== null), 0) * 1.22 || 1] };
}

function short(value, prefix, suffix) {
  const [size, name] = SCALES.find(([least]) => Math.abs(value) >= least) || [1, ""];
  return `${prefix}${Number((value / size).toPrecision(3)).toLocaleString("en")}${name}${suffix}`;
}

function draw(Plot, figure, width) {
  const data = read(figure);
  const narrow = width < 480;
  const { x, y } = reach(data);
  const { window: w, original, points, steps, targets, asOf } = data;
  const within = (date) => new Date(Math.min(Math.max(Number(date), Number(x[0])), Number(x[1])));
  const due = w.end || w.latest;
  const first = original.latest || original.end;
  const now = targets.at(-1);
  const shownSteps = steps.map((s) => ({ ...s, since: within(s.since), until: within(s.until) }));
  const open = shownSteps.filter((s) => s.high === null).map((s) => ({ ...s, top: Math.min(s.value + (y[1] - y[0]) * 0.18, y[1]) }));
  const ranged = shownSteps.filter((s) => s.high !== null && s.high !== s.low);
  const said = (p) => `${p.label}\n${p.exact}\nsaid on ${p.said.toISOString().slice(0, 10)}${p.covers ? `\ncovers up to ${p.covers.toISOString().slice(0, 10)}` : ""}${p.counts ? "" : "\ndoes not count"}`;
  return Plot.plot({
    className: "plot", width, height: Math.max(260, Math.min(360, width * 0.48)), marginLeft: 62, marginRight: 14, marginTop: 16, marginBottom: 32,
    x: { type: "utc", domain: x, label: null, ticks: narrow ? 4 : 8 },
    y: { domain: y, label: null, ticks: 5, tickFormat: (v) => short(v, figure.dataset.prefix, figure.dataset.suffix) },
    marks: [
      due ? Plot.rectX([{ x1: within(w.start || x[0]), x2: within(due) }], { x1: "x1", x2: "x2", fill: "var(--band)" }) : null,
      due && w.latest > due ? Plot.rectX([{ x1: due, x2: w.latest }], { x1: "x1", x2: "x2", fill: "var(--late-band)" }) : null,
      due && !narrow ? Plot.text([{ x: due, text: "due" }], { x: "x", text: "text", frameAnchor: "bottom", textAnchor: "end", dx: -5, dy: -6, fill: "var(--soft)" }) : null,
      due && w.latest > due && !narrow ? Plot.text([{ x: w.latest, text: "or, read late, here" }], { x: "x", text: "text", frameAnchor: "bottom", textAnchor: "end", dx: -5, dy: -6, fill: "var(--soft)" }) : null,
      Plot.gridY({ ticks: 5, stroke: "var(--line)", strokeOpacity: 1 }),
      first && due && Number(first) !== Number(w.latest || due) ? Plot.ruleX([first], { stroke: "var(--overdue)", strokeDasharray: "3 3" }) : null,
      first && due && !narrow && Number(first) !== Number(w.latest || due) ? Plot.text([{ x: first, text: "first deadline" }], { x: "x", text: "text", frameAnchor: "top", textAnchor: "start", dx: 5, dy: 4, fill: "var(--soft)" }) : null,
      now && w.start && due && data.cumulative ? Plot.line([{ x: w.start, y: 0 }, { x: due, y: now.value }], { x: "x", y: "y", stroke: "var(--pace)", strokeDasharray: "6 4" }) : null,
      Plot.rect(targets.filter((t) => t.upper !== null), { x1: (t) => within(t.since), x2: (t) => within(t.until || x[1]), y1: "value", y2: "upper", fill: "var(--target)", fillOpacity: 0.15 }),
      Plot.ruleY(targets, { x1: (t) => within(t.since), x2: (t) => within(t.until || x[1]), y: "value", stroke: "var(--target)", strokeWidth: 2 }),
      Plot.text(narrow ? targets.slice(-1) : targets, { x: (t) => (narrow ? x[1] : within(t.since)), y: "value", text: (t) => `target: ${t.label}`, textAnchor: narrow ? "end" : "start", dx: narrow ? 0 : 6, dy: -9, fill: "var(--target)", fontWeight: 600, title: "label", lineWidth: (width - 76) / 14, textOverflow: "ellipsis" }),
      Plot.rect(open, { x1: "since", x2: "until", y1: "value", y2: "top", fill: "url(#open-ramp)" }),
      Plot.rect(ranged, { x1: "since", x2: "until", y1: (s) => s.low ?? 0, y2: "high", fill: "var(--accent)", fillOpacity: 0.3 }),
      Plot.ruleX(shownSteps, { x: "since", y1: (s, i) => (i && shownSteps[i - 1].until >= s.since ? shownSteps[i - 1].value : 0), y2: "value", stroke: "var(--accent)", strokeOpacity: 0.55 }),
      Plot.ruleY(shownSteps, { x1: "since", x2: "until", y: "value", stroke: "var(--accent)", strokeWidth: 3 }),
      Plot.link(points.filter((p) => p.covers), { x1: "covers", x2: "said", y: "value", stroke: "var(--accent)", strokeDasharray: "1 3" }),
      Plot.dot(points.filter((p) => p.covers), { x: "covers", y: "value", r: 3.5, fill: "var(--paper)", stroke: "var(--accent)" }),
      Plot.dot(points, { x: "said", y: "value", r: 5, fill: (p) => (p.counts ? "var(--accent)" : "var(--card)"), stroke: (p) => (p.counts ? "var(--card)" : "var(--accent)") }),
      Number(asOf) < Number(x[1]) - 12 * 864e5 ? Plot.ruleX([asOf], { stroke: "var(--line-strong)", strokeDasharray: "1 3" }) : null,
      Plot.tip(points, Plot.pointer({ x: "said", y: "value", title: said, fill: "var(--card)", stroke: "var(--line-strong)", fontSize: 12 })),
    ],
  });
}

/** Move a label that leaves the drawing back into it, and one that is printed over another to a line above or below. */
function keepApart(svg) {
  const frame = svg.getBoundingClientRect();
  const placed = [];
  for (const text of svg.querySelectorAll("[aria-label=text] text")) {
    const { left, right, top, bottom } = text.getBoundingClientRect();
    const x = Math.max(Math.min(0, frame.right - right), frame.left - left);
    const line = bottom - top;
    const y = [0, -line, line, -2 * line, 2 * line].find((move) => top + move >= frame.top
      && !placed.some((p) => left + x < p.right && p.left < right + x && top + move < p.bottom - 1 && p.top < bottom + move - 1));
    if (y === undefined) { text.remove(); continue; }
    if (x || y) text.setAttribute("transform", `translate(${x},${y}) ${text.getAttribute("transform")}`);
    placed.push({ left: left + x, right: right + x, top: top + y, bottom: bottom + y });
  }
}

/** Put Plot's drawing in the place of the server's, and draw it again when the data change. */
export async function enhance(figure) {
  plot ||= library();
  const Plot = await plot;
  const host = figure.querySelector(".plot-host");
  const name = figure.querySelector(".drawing title").textContent;
  if (host.getAttribute("aria-label") !== name) host.setAttribute("aria-label", name);
  host.hidden = false;
  const redraw = () => {
    const width = Math.floor(figure.clientWidth);
    const subject = JSON.stringify([width, figure.dataset, read(figure)]);
    if (!width || host.drawn === subject) return;
    host.drawn = subject;
    const svg = draw(Plot, figure, width);
    // Plot brings a style sheet along, which the page's policy refuses; ours has the same rules.
    svg.querySelectorAll("style").forEach((style) => style.remove());
    svg.setAttribute("aria-hidden", "true");
    host.replaceChildren(svg);
    keepApart(svg);
  };
  redraw();
  if (host.watch) return;
  host.watch = new ResizeObserver(() => requestAnimationFrame(redraw));
  host.watch.observe(figure);
}
