/* The pages work without this module. With it they follow the log, move through time and record facts.
   The key is kept in one variable of this module, and nowhere else. */

let key = null;
let shown = location.href.split("#")[0];

/** The path below which this service is reached, and an address below it. */
const base = document.body.dataset.base;
const at = (path) => base + path;

const $ = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const say = (text) => { $("[data-announce]").textContent = text; };

function later(wait, act) {
  let timer;
  return (...given) => { clearTimeout(timer); timer = setTimeout(() => act(...given), wait); };
}

function make(name, properties = {}, ...children) {
  const { dataset, ...rest } = properties;
  const element = Object.assign(document.createElement(name), rest);
  Object.assign(element.dataset, dataset);
  element.append(...children);
  return element;
}

const authorized = (headers = {}) => (key ? { ...headers, Authorization: `Bearer ${key}` } : headers);

/* --- going somewhere without leaving: fetch the page, and change only what differs */

const OURS = "[data-key-form], [data-queue], [data-preview], [data-parsed], [data-error], [data-receipt], [data-error-form], [data-own], [data-found], [data-capture], [data-difference], #found-pledges, [data-import-form], [data-import-result]";

/** Make one element like another. `keep` names the fields that stay as the reader has them: "typed" those that were
    changed, "focused" the one in use, "" none. */
function morph(from, to, keep) {
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  if (from.matches(".chart-tip") || (keep === "typed" && from.matches(".record-form"))) return;
  const busy = keep && from === document.activeElement && from.matches("input, select, textarea");
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !(name === "open" && from.matches("details"))) from.removeAttribute(name);
  }
  for (const { name, value } of [...to.attributes]) {
    if (from.getAttribute(name) !== value && !(name === "hidden" && from.matches("[data-receipt], [data-own]"))) {
      from.setAttribute(name, value);
    }
  }
  if (from.matches(OURS)) return;
  const dirty = from.matches("input, textarea") && from.value !== from.defaultValue;
  if (from.matches("input:not([type=checkbox]), textarea") && !busy && !(keep === "typed" && dirty)) from.value = to.value;
  morphChildren(from, to, keep);
  if (from.matches("select") && !busy) from.value = to.value;
}

/** The name of a child among its siblings, wherever it stands; "" for a child that is known by its place alone. */
function keyOf(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return "";
  if (node.matches("dl > div")) return node.firstElementChild.textContent;
  return node.id || node.dataset.key || node.dataset.field || node.getAttribute("aria-labelledby")
    || [...node.classList].find((name) => !name.startsWith("is-")) || "";
}

function morphChildren(from, to, keep) {
  const wantedKeys = new Set([...to.children].map(keyOf));
  const known = new Map();
  for (const child of [...from.children]) {
    const name = keyOf(child);
    if (!wantedKeys.has(name)) child.remove();
    else if (name && !known.has(name)) known.set(name, child);
  }
  let current = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const name = keyOf(wanted);
    while (current?.nodeType === Node.TEXT_NODE && wanted.nodeType === Node.ELEMENT_NODE) {
      const next = current.nextSibling;
      current.remove();
      current = next;
    }
    const same = known.get(name);
    known.delete(name);
    if (same && same !== current) { from.insertBefore(same, current); current = same; }
    if (current && current.nodeName === wanted.nodeName && keyOf(current) === name) {
      const next = current.nextSibling;
      morph(current, wanted, keep);
      current = next;
    } else {
      from.insertBefore(wanted, current);
    }
  }
  while (current) { const next = current.nextSibling; current.remove(); current = next; }
}

/** Change what differs, and leave the focus where it is; with `still` its element keeps its place on the screen, too. */
function update(page, keep, still) {
  const focused = document.activeElement;
  const { top } = focused.getBoundingClientRect();
  for (const part of ["header.site nav", "main", ".site-foot"]) morph($(part), $(part, page), keep);
  if (!focused.isConnected || focused === document.body) return;
  if (focused !== document.activeElement) focused.focus({ preventScroll: true });
  if (still && top >= 0 && top < innerHeight) scrollBy(0, focused.getBoundingClientRect().top - top);
}

let turn = 0;
let going = 0;

/** Show the page at an address. True if that changed its text; undefined if another page was asked for meanwhile. */
async function show(url, keep = "focused") {
  const mine = ++turn;
  document.documentElement.classList.add("is-loading");
  try {
    const answer = await fetch(url, { headers: authorized({ Accept: "text/html" }), cache: "no-cache" });
    if (!(answer.headers.get("Content-Type") || "").startsWith("text/html")) throw new TypeError("not a page");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== turn) return undefined;
    const before = $("main").textContent;
    document.title = page.title;
    update(page, keep, keep === "typed");
    if (keep !== "typed") showFailure(null);
    shown = String(url).split("#")[0];
    enhance();
    return before !== $("main").textContent;
  } finally {
    if (mine === turn) document.documentElement.classList.remove("is-loading");
  }
}

/** Show the page at an address and put it into the history. */
async function visit(url, { replace = false, top = false } = {}) {
  going += 1;
  try {
    if ((await show(url)) === undefined) return;
  } catch {
    if (key) showFailure(() => visit(url, { replace, top }));
    else location.assign(url);
    return;
  } finally {
    going -= 1;
  }
  history[replace ? "replaceState" : "pushState"](null, "", url);
  const { hash } = new URL(url, location.href);
  const target = hash && document.getElementById(hash.slice(1));
  if (target) { reveal(target); target.scrollIntoView(); }
  else if (top) { scrollTo(0, 0); $("main").focus({ preventScroll: true }); }
  say(document.title);
}

/** Unfold everything that an element lies in. */
function reveal(element) {
  for (let fold = element.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
}

/** Show the page of the address that the browser went back or forward to. */
function goBack() {
  if (location.href.split("#")[0] === shown) { showFailure(null); return; }
  show(location.href, "").catch(() => { if (key) showFailure(goBack); else location.reload(); });
}
addEventListener("popstate", goBack);

/** Show above the page that another page did not come, with a button to try `again`; null takes the notice away. With
    a key in hand the page is not left: the key would be lost. */
function showFailure(again) {
  $(".away")?.remove();
  if (!again) return;
  const retry = make("button", { type: "button", textContent: "Try again" });
  const close = make("button", { type: "button", textContent: "Stay here" });
  retry.addEventListener("click", again);
  close.addEventListener("click", () => {
    showFailure(null);
    if (location.href.split("#")[0] !== shown) history.pushState(null, "", shown);
  });
  const box = make("div", { className: "away notice notice-bad" });
  box.setAttribute("role", "alert");
  $("main").before(box);
  box.append(make("p", {}, "The server does not answer, so the page stays as it is."), make("p", { className: "away-buttons" }, retry, close));
}

/** The address that a GET form asks for, without blank fields and defaults. */
function address(form) {
  const query = new URLSearchParams();
  for (const field of form.elements) {
    if (field.name && field.value && field.value !== field.dataset.default) query.append(field.name, field.value);
  }
  const text = query.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
  return new URL(form.getAttribute("action") + (text ? `?${text}` : ""), location.href).href;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "get" || !form.closest("main") || form.closest("[data-record]")) return;
  event.preventDefault();
  visit(address(form));
});

document.addEventListener("change", (event) => {
  if (event.target.matches("select") && event.target.form?.matches("[data-auto]")) visit(address(event.target.form));
});

/* A key is lost when the page is left, so with a key in hand links are followed without leaving it. */
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!key || !link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || !url.pathname.startsWith(at("/"))) return;
  if (!/^\/($|pledges\/|audit|record|proposals|import|parties|tags\/|deadlines|compare|about\/|developers)/.test(url.pathname.slice(base.length))) return;
  if (url.hash && url.href.split("#")[0] === shown) return;
  event.preventDefault();
  visit(url.href, { top: true });
});

/* A link that changes what the list shows leaves the reader where it is. One that is followed before the page has come
   is followed from the page that comes: it has the address that adds to what was chosen. */
let staying = Promise.resolve();
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-stay]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  staying = staying.then(() => link.isConnected && visit(new URL(link.getAttribute("href").split("#")[0], location.href).href));
});

/* A link with the address that stays the same is copied, where the browser lets us. */
document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-copy]");
  if (!link || !navigator.clipboard || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  try {
    await navigator.clipboard.writeText(new URL(link.href).href);
    say("The link is copied.");
    link.textContent = "Link copied";
    setTimeout(() => { link.textContent = "Copy link"; }, 2_000);
  } catch { location.assign(link.href); }
});

/* --- live: when the log grows, the page is asked for again */

/** Whether the page shows the record as it was known once: such a page never changes. */
const isPast = () => $("[data-past]") !== null;

/** The last position that the stream told of, and how often the page was asked for in vain since. */
const heard = { position: 0, tries: 0 };

function noteEvent(event) {
  const about = /^\/pledges\/([^/]+)(?:\/record)?$/.exec(location.pathname.slice(base.length));
  if (about && JSON.parse(event.data).pledge !== about[1]) return;
  heard.position = Number(event.lastEventId);
  heard.tries = 0;
  refresh();
}

const refresh = later(200, async () => {
  if (document.hidden || isPast()) return;
  if (going) { refresh(); return; }
  const changed = await show(location.href, "typed").catch(() => false);
  // What is shown is read from the projection, which may be a moment behind the log.
  if (Number($("[data-position]")?.dataset.position) < heard.position && heard.tries++ < 10) refresh();
  if (!changed) return;
  say("The page was brought up to date.");
  const title = $("h1");
  title.classList.remove("is-fresh");
  requestAnimationFrame(() => title.classList.add("is-fresh"));
});

const light = { element: $("[data-live]"), text: $("[data-live-text]"), source: null, poll: null, isPrivate: $("[data-problem='401']") !== null };

/** Say in the header how the page follows the log; `isAway` while the stream is broken off. */
function showLight(text, isAway) {
  light.element.hidden = false;
  light.element.classList.toggle("is-away", isAway);
  light.text.textContent = text;
}

/** Ask for the page every 20 seconds: an EventSource cannot carry a key, and a proxy may refuse to stream. */
function startPolling() {
  light.poll = setInterval(refresh, 20_000);
  showLight("Every 20 seconds", false);
}

function follow() {
  const followed = $("[data-position]");
  if (document.hidden || light.source || light.poll || !followed) return;
  if (light.isPrivate) { startPolling(); return; }
  const { position } = followed.dataset;
  const source = (light.source = new EventSource(at(`/v1/events/stream${isPast() ? "" : `?after=${position}`}`)));
  let opened = false;
  source.onopen = () => { showLight("Live", false); if (opened) refresh(); opened = true; };
  for (const type of light.element.dataset.types.split(" ")) source.addEventListener(type, noteEvent);
  source.addEventListener("log_changed", () => location.reload()); // what the page holds is of another history
  source.onerror = () => {
    showLight("Reconnecting", true);
    if (source.readyState !== EventSource.CLOSED) return;
    light.source = null;
    startPolling();
  };
}

/* A hidden page needs no connection, and a browser has few to spare. */
document.addEventListener("visibilitychange", () => {
  if (document.hidden) { light.source?.close(); light.source = null; } else { follow(); refresh(); }
});
addEventListener("pagehide", () => { light.source?.close(); light.source = null; });

/* --- the key */

function enhanceKey(box) {
  if (box.held === (key !== null) && box.childElementCount) return;
  box.held = key !== null;
  box.hidden = false;
  if (key) {
    const forget = make("button", { type: "button", textContent: "Forget it" });
    forget.addEventListener("click", () => { key = null; enhance(); say("The key is forgotten."); });
    box.replaceChildren(make("p", {}, "A key is held in this tab’s memory, and nowhere else. ", forget));
    return;
  }
  const input = make("input", { type: "password", id: "key", autocomplete: "off", spellcheck: false });
  const wrong = make("p", { className: "error", id: "key-error" });
  input.setAttribute("aria-describedby", "key-hint key-error");
  const use = make("button", { type: "button", textContent: "Use this key" });
  const take = async () => {
    wrong.textContent = "";
    const given = input.value.trim();
    if (!given) { wrong.textContent = "Paste a key first."; input.focus(); return; }
    const answer = await fetch(at("/v1/pledges?limit=1"), { headers: { Authorization: `Bearer ${given}` } }).catch(() => null);
    if (!answer?.ok) {
      wrong.textContent = answer ? (await answer.json()).detail : "The server does not answer.";
      input.focus();
      return;
    }
    key = given;
    if (box.dataset.then === "reload" || !box.closest("[data-record]")) await visit(location.href, { replace: true });
    enhance();
    say("The key is held in this tab’s memory.");
    preview();
  };
  use.addEventListener("click", take);
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); take(); } });
  const field = make("div", { className: "field" }, make("label", { htmlFor: "key", textContent: "Your key" }), input);
  box.replaceChildren(
    make("div", { className: "key-row" }, field, use),
    make("p", { className: "hint", id: "key-hint", textContent: "Kept in this tab’s memory until you close or reload it; never stored, never in a cookie." }),
    wrong,
  );
}

/* --- how long ago */

const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];
/** Say beside an instant how long ago it was; not in the text, which is compared when the page is asked for again. */
function age(time) {
  const seconds = Math.max(0, (Date.now() - Date.parse(time.dateTime)) / 1000);
  const [unit, length] = UNITS.find(([, each]) => seconds >= each) || ["second", 1];
  time.dataset.age = new Intl.RelativeTimeFormat("en-GB").format(-Math.floor(seconds / length), unit);
}
setInterval(() => all("time[data-since]").forEach(age), 1000);

/** What is copied from a page names the address at which the page was read, where the server was not told its own. */
function nameAddress(note) {
  note.hidden = true;
  for (const code of all("[data-snippet] code, .about-list code")) code.textContent = code.textContent.replaceAll("ADDRESS", location.origin + base);
}

function enhance() {
  all("[data-here-note]").forEach(nameAddress);
  all("time[data-since]").forEach(age);
  all("[data-key-form]").forEach(enhanceKey);
  all("[data-needs-key]").forEach((link) => { link.hidden = key === null; });
  if ($("[data-chart]")) import("./chart.js").then((chart) => all("[data-chart]").forEach((figure) => chart.enhance(figure, visit)));
  if ($("[data-record]")) import("./record.js").then((record) => record.enhance({ at, key: () => key, forget, say, make, later, visit }));
  if ($("[data-import]")) import("./import.js").then((importing) => importing.enhance({ at, key: () => key, forget, say, make }));
  if ($("[data-proposals]")) import("./proposals.js").then((queue) => queue.enhance({ at, key: () => key, forget, say, make }));
  follow();
}

function forget() { key = null; enhance(); }
function preview() { if ($("[data-record]")) import("./record.js").then((record) => record.preview()); }

enhance();
