/* What can be pointed at in a chart: a tip for the pointer and the keyboard, and a stretch of days to draw alone.
   The server draws; the page is whole without this module. */

const DAY = 86_400_000;
const REACH = 40;

const shownDrawing = (figure) => [...figure.querySelectorAll("svg.drawing")].find((svg) => svg.getBoundingClientRect().width);
const marksOf = (svg) => [...svg.querySelectorAll(".c-mark")];

function tipOf(figure) {
  let tip = figure.querySelector(".chart-tip");
  if (!tip) {
    tip = document.createElement("div");
    tip.className = "chart-tip";
    tip.setAttribute("role", "status");
    figure.querySelector(".drawings").append(tip);
  }
  return tip;
}

/** Show what a mark says beside it, inside the figure; null takes it away. */
function tell(figure, mark) {
  const tip = tipOf(figure);
  figure.querySelectorAll(".c-mark.is-told").forEach((one) => one.classList.remove("is-told"));
  if (!mark) { tip.replaceChildren(); return; }
  mark.classList.add("is-told");
  const lines = mark.dataset.words.split("\n").map((text, index) => {
    const line = document.createElement(index ? "span" : "b");
    line.textContent = text;
    return line;
  });
  tip.replaceChildren(...lines);
  const frame = figure.querySelector(".drawings").getBoundingClientRect();
  const at = mark.getBoundingClientRect();
  const x = at.left + at.width / 2 - frame.left;
  const left = Math.max(0, Math.min(x - tip.offsetWidth / 2, frame.width - tip.offsetWidth));
  const above = at.top - frame.top - tip.offsetHeight - 4;
  tip.style.setProperty("left", `${left}px`);
  tip.style.setProperty("top", `${above >= 0 ? above : at.bottom - frame.top + 4}px`);
}

function nearest(svg, event) {
  let best = null;
  let least = REACH;
  for (const mark of marksOf(svg)) {
    const box = mark.getBoundingClientRect();
    const away = Math.hypot(box.left + box.width / 2 - event.clientX, box.top + box.height / 2 - event.clientY);
    if (away < least) { least = away; best = mark; }
  }
  return best;
}

/** The day at a place of the pointer in a drawing over time. */
function dayAt(svg, clientX) {
  const { first, last, left, right } = svg.dataset;
  const box = svg.getBoundingClientRect();
  const x = ((clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
  const share = Math.min(Math.max((x - left) / (right - left), 0), 1);
  const span = Date.parse(last) - Date.parse(first);
  return new Date(Math.round((Date.parse(first) + share * span) / DAY) * DAY).toISOString().slice(0, 10);
}

function draggable(figure, svg, visit) {
  let start = null;
  let band = null;
  svg.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" || event.button) return;
    start = event.clientX;
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (start === null || Math.abs(event.clientX - start) < 8) return;
    const box = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / box.width;
    if (!band) {
      band = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      band.setAttribute("class", "c-band");
      svg.append(band);
    }
    const [low, high] = [start, event.clientX].sort((a, b) => a - b);
    band.setAttribute("x", (low - box.left) * scale);
    band.setAttribute("width", (high - low) * scale);
    band.setAttribute("height", svg.viewBox.baseVal.height);
  });
  const end = (event) => {
    const from = start;
    start = null;
    band?.remove();
    const chosen = band !== null;
    band = null;
    if (!chosen || from === null || event.type === "pointercancel") return;
    const [low, high] = [from, event.clientX].sort((a, b) => a - b).map((x) => dayAt(svg, x));
    if (Date.parse(high) - Date.parse(low) < 7 * DAY) return;
    const address = new URL(location.href);
    address.hash = "";
    address.searchParams.set("from", low);
    address.searchParams.set("to", high);
    visit(address.href);
  };
  svg.addEventListener("pointerup", end);
  svg.addEventListener("pointercancel", end);
}

function step(figure, svg, by) {
  const marks = marksOf(svg);
  const told = marks.findIndex((mark) => mark.classList.contains("is-told"));
  const next = told < 0 ? (by > 0 ? 0 : marks.length - 1) : Math.min(Math.max(told + by, 0), marks.length - 1);
  if (marks.length) tell(figure, marks[next]);
}

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -1e6, End: 1e6 };

/** Let a chart answer the pointer and the keyboard. `visit` shows the page at another address. */
export function enhance(figure, visit) {
  for (const svg of figure.querySelectorAll("svg.drawing")) {
    if (!marksOf(svg).length) continue;
    svg.setAttribute("tabindex", "0");
    if (svg.answers) continue;
    svg.answers = true;
    svg.addEventListener("pointermove", (event) => tell(figure, nearest(svg, event)));
    svg.addEventListener("pointerleave", () => { if (document.activeElement !== svg) tell(figure, null); });
    svg.addEventListener("blur", () => tell(figure, null));
    svg.addEventListener("focus", () => { if (svg.matches(":focus-visible") && svg === shownDrawing(figure)) step(figure, svg, 1); });
    svg.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { tell(figure, null); return; }
      if (!(event.key in STEPS)) return;
      event.preventDefault();
      step(figure, svg, STEPS[event.key]);
    });
    if (svg.dataset.first) draggable(figure, svg, visit);
  }
}
