/* The form that records a fact: what was typed becomes a fact, and a dry run says what it would change. */

import { at, empty, fill, follow, isDefault, patch, read, unfold } from "./record_fields.js";
import { changed, changedParts, difference, odd, showRead } from "./record_preview.js";
import { enhanceCapture, enhancePassage, showOwn } from "./record_desk.js";

let page = null;
let attempt = null;

const $ = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const form = () => $(".record-form");
const about = () => $("[data-record]").dataset;
const touched = new Set();

/** What was typed and is not recorded yet, as a fact, by pledge, event and proposal: the form of another type takes it over. */
const drafts = new Map();
const draftKey = () => [about().pledge, about().event, about().proposal].join(" ");

/** The source of the fact that was recorded last in this tab; the next one has the same, until it is changed. */
let lastSource = null;

/** What the event says that the form corrects or restates, as it was when the form was opened. */
const shows = () => form().shows;

/** The fact that the form states, as JSON has it. */
function fact() {
  const { type } = about();
  const found = { type, ...read(form()) };
  if (type !== "EventCorrected" || !shows()) return found;
  const { type: _, ...before } = shows();
  const changes = patch(before, found.changes ?? {});
  const { changes: __, ...rest } = found;
  return changes === undefined ? rest : { ...rest, changes };
}

/** The facts of several members: what the form says of all of them, with the result of each. */
function many() {
  const rows = all("[data-member]", form()).filter((row) => $("[data-many-verdict]", row).value);
  if (!rows.length) return null;
  const common = fact();
  return rows.map((row) => {
    const [verdict, value] = [$("[data-many-verdict]", row).value, $("[data-many-value]", row).value.trim()];
    const { figure, ...rest } = common;
    return { row, fact: { ...rest, member: row.dataset.member, verdict, ...(value ? { figure: { ...figure, quantity: value } } : {}) } };
  });
}

/** The request that the form makes; `under` is the place of the fact in its body. */
function request() {
  const { pledge, type } = about();
  const slug = $("[data-slug]")?.value.trim();
  if (type === "PledgeMade") return { url: "/v1/pledges", body: { ...(slug ? { pledge: slug } : {}), fact: fact() }, under: "/fact" };
  const several = many();
  if (several) return { url: "/v1/events", body: several.map((one) => ({ pledge, fact: one.fact })), under: "", rows: several.map((one) => one.row) };
  const headers = shows() ? { "If-Match": `"${form().version}"` } : {};
  return { url: `/v1/pledges/${encodeURIComponent(pledge)}/events`, body: fact(), under: "", headers };
}

/* --- errors: a summary above the form, and each at its field, by JSON pointer */

function clear() {
  for (const place of all("[data-error], [data-parsed], [data-many-error]")) place.textContent = "";
  for (const field of all("[aria-invalid]")) field.removeAttribute("aria-invalid");
  $("[data-error-form]").replaceChildren();
}

/** The pointer of the field that an error is about: itself, one above it, or the first one below it. */
function nearest(pointer) {
  const known = all("[data-error]").map((place) => place.dataset.error);
  const above = known.filter((name) => pointer === name || pointer.startsWith(`${name}/`)).sort((a, b) => b.length - a.length)[0];
  return above ?? (pointer ? known.find((name) => name.startsWith(`${pointer}/`)) : undefined);
}

function input(pointer) {
  return pointer === "/pledge" ? $("[data-slug]") : all("[data-pointer]").find((field) => field.dataset.pointer === pointer);
}

function goTo(field) {
  if (field.closest("[data-source] [data-fields][hidden], [data-source] [hidden]")) openSource();
  unfold(field);
  field.focus();
}

const labelOf = (field) => (field.labels?.[0]?.textContent ?? field.getAttribute("aria-label") ?? "").replace("*", "").trim();

/** Show errors at their fields; without `everything` only at those that were touched. `rows` are those of members. */
function complain(errors, { under = "", rows = null }, everything) {
  const found = [];
  for (const { pointer, message } of errors) {
    let own = under && pointer.startsWith(under) ? pointer.slice(under.length) : pointer;
    let row = null;
    if (rows) {
      const [, index, rest] = /^\/(\d+)(?:\/fact)?(.*)$/.exec(pointer) ?? [];
      own = rest ?? pointer;
      row = /^\/(member|verdict|figure\/quantity)/.test(own) ? rows[Number(index)] : null;
    }
    const name = row ? null : nearest(own);
    if (name === undefined) { found.push({ message }); continue; }
    if (!everything && !row && !touched.has(name)) continue;
    const field = row ? $("[data-many-value]", row) : input(name) ?? $(`[data-rows="${name}"] [data-add-row]`);
    const place = row ? $("[data-many-error]", row) : all("[data-error]").find((one) => one.dataset.error === name);
    if (!place.textContent.includes(message)) place.textContent = place.textContent ? `${place.textContent}; ${message}` : message;
    field?.setAttribute("aria-invalid", "true");
    found.push({ message, field });
  }
  if (everything) summarise(found);
}

/** Say above the form what is to be mended, each with a way to its field; the focus goes to the first of them. */
function summarise(found) {
  const items = found.map(({ message, field }) => {
    if (!field) return page.make("li", { textContent: message });
    const link = page.make("a", { href: `#${field.id}` }, `${labelOf(field)}: ${message}`);
    link.addEventListener("click", (event) => { event.preventDefault(); event.stopPropagation(); goTo(field); });
    return page.make("li", {}, link);
  });
  const box = $("[data-error-form]");
  if (items.length) box.replaceChildren(page.make("h3", { textContent: items.length === 1 ? "One thing is to be mended" : `${items.length} things are to be mended` }), page.make("ul", {}, ...items));
  const first = found.find(({ field }) => field)?.field;
  if (first) goTo(first);
  else box.focus();
}

/* --- what the fact would change */

function hint(text, ...more) { $("[data-preview]").replaceChildren(page.make("p", { className: "quiet" }, text, ...more)); }

async function ask(url, body, headers = {}) {
  const answer = await fetch(page.at(url), {
    method: body === undefined ? "GET" : "POST",
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    headers: { ...(body === undefined ? {} : { "Content-Type": "application/json" }), Accept: "application/json", Authorization: `Bearer ${page.key()}`, ...headers },
  });
  return { answer, ok: answer.ok, status: answer.status, said: await answer.json() };
}

/** Show the changed parts of a correction, or the figure of a restatement, as before → after. */
async function showDifference(stated) {
  const box = $("[data-difference]") ?? null;
  const before = shows();
  if (!before) return [];
  const parts = about().type === "EventCorrected" ? changedParts(before, stated.changes ?? {}) : changedParts(before, { figure: patch(before.figure, stated.figure ?? {}) ?? {} });
  const words = [...new Set(parts.map(([, , after]) => after).filter((after) => typeof after === "string" && after.length <= 200))].slice(0, 20);
  const quantities = new Map();
  if (words.length) {
    const { ok, said } = await ask("/record/reading", { words });
    if (ok) said.words.forEach(({ exact }, index) => { if (exact) quantities.set(words[index], exact); });
  }
  const list = changed(page, parts, about().type === "EventCorrected" ? "/changes" : "", quantities);
  if (box) box.replaceChildren(...(parts.length ? [page.make("h4", { textContent: "What you change" }), list.cloneNode(true)] : []));
  return parts.length ? [page.make("h3", { textContent: about().type === "EventCorrected" ? "Corrected" : "Restated" }), list] : [];
}

let turn = 0;

export async function preview() {
  if (!form() || !touched.size) return;
  const mine = ++turn;
  if (!page.key()) { hint("Give your key above, and the status that would follow appears here."); return; }
  clear();
  try {
    const wanted = request();
    const { pledge, type } = about();
    const [tried, known, parts] = await Promise.all([
      ask(`${wanted.url}?dry_run=true`, wanted.body, wanted.headers),
      type === "PledgeMade" ? null : ask(`/v1/pledges/${encodeURIComponent(pledge)}`),
      wanted.rows ? [] : showDifference(wanted.body),
    ]);
    if (mine !== turn || !form()) return;
    const { ok, status, said } = tried;
    if (ok) {
      if (!wanted.rows) showRead(all("[data-parsed]"), said.events[0].fact);
      const version = page.make("p", { className: "meta", textContent: wanted.rows ? `${said.events.length} facts would be recorded.` : `It would be event ${said.events[0].version}.` });
      $("[data-preview]").replaceChildren(...parts, ...difference(page, known?.ok ? known.said : null, said.statuses[0]), version, ...odd(page, said.warnings, pledge));
      return;
    }
    complain(said.errors ?? [], wanted, false);
    if (status === 403) { hint("What it would change is shown to monitors. It can be proposed."); return; }
    const first = said.errors?.[0];
    hint(status === 422 || status === 409 ? `Not yet: ${first ? `${labelFor(first.pointer, wanted)}${first.message}` : said.detail}` : said.detail, ...repeated(said));
  } catch {
    if (form()) hint("The server does not answer.");
  }
}

function labelFor(pointer, { under, rows }) {
  const field = rows ? null : input(nearest(pointer.slice(under.length)) ?? "");
  return field ? `${labelOf(field)}: ` : pointer ? `${pointer.replace(under, "")}: ` : "";
}

/** The way to the event that a duplicate repeats. */
function repeated({ event }) {
  return typeof event === "string" ? [" ", page.make("a", { href: page.at(`/pledges/${about().pledge}#event-${event}`), textContent: "See the event." })] : [];
}

/* --- recording */

/** A new Idempotency-Key. `crypto.randomUUID` does not exist on a page of plain http. */
const unique = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** The same request as a proposal, or as the next revision of one; undefined if it cannot be one, which is said. */
function proposal({ body, under, rows }) {
  const revised = about().proposal;
  if (rows) { summarise([{ message: "Propose the members one by one: a proposal is one fact." }]); return undefined; }
  const stated = under ? body.fact : body;
  const said = $("[data-note]").value.trim();
  const note = said ? { note: said } : {};
  if (revised) return { url: `/v1/proposals/${revised}/revise`, body: { fact: stated, ...note }, under: "/fact" };
  const pledge = about().pledge || body.pledge;
  if (pledge) return { url: "/v1/proposals", body: { pledge, fact: stated, ...note }, under: "/fact" };
  complain([{ pointer: "/pledge", message: "a proposal names its pledge: give the slug" }], {}, true);
  return undefined;
}

let isSending = false;

/** The buttons are of use once this module follows the form, and while nothing is under way. */
function enableButtons() { for (const button of all("[data-submit], [data-propose]")) button.disabled = isSending; }

/** Send what was typed: to be recorded, or by its own button to be proposed. */
async function record(event) {
  event.preventDefault();
  const proposes = event.type === "click" || Boolean(about().proposal);
  clear();
  ++turn;
  if (!page.key()) {
    summarise([{ message: proposes ? "Proposing needs a key: give it above." : "Recording needs a monitor’s key: give it above." }]);
    $("#key")?.focus();
    return;
  }
  const typed = request();
  const wanted = proposes ? proposal(typed) : typed;
  if (!wanted) return;
  const { url, body } = wanted;
  // The same content sent again is the same attempt, so that a retry never records twice.
  const payload = JSON.stringify([url, body]);
  if (attempt?.payload !== payload) attempt = { payload, id: unique() };
  const key = draftKey();
  const stated = Array.isArray(body) ? body[0].fact : body.fact ?? body;
  isSending = true;
  enableButtons();
  const sent = await ask(url, body, { ...wanted.headers, "Idempotency-Key": attempt.id }).catch(() => null);
  isSending = false;
  enableButtons();
  if (sent?.ok) {
    attempt = null;
    drafts.delete(key);
    keepSource(stated);
    if (form()) (proposes ? waiting : receipt)(sent.said, wanted);
    page.say(proposes ? "Proposed." : "Recorded.");
    if (form()) showOwn(page, true);
    return;
  }
  page.say(`Not ${proposes ? "proposed" : "recorded"}: ${sent?.said.title ?? "the server does not answer"}.`);
  if (sent?.status === 401) page.forget();
  if (!form()) return;
  if (!sent) { summarise([{ message: "The server does not answer. Send it again: it will be recorded once at most." }]); return; }
  if (sent.status === 412) {
    summarise([{ message: "Somebody recorded on this pledge since you opened the form, and the event may say something else by now. " }]);
    const anew = page.make("a", { href: location.href, textContent: "Open it anew." });
    anew.addEventListener("click", openAnew);
    $("[data-error-form] li").append(anew);
    return;
  }
  complain(sent.said.errors?.length ? sent.said.errors : [{ pointer: "", message: sent.said.detail }], wanted, true);
  $("[data-error-form]").append(...repeated(sent.said));
}

/** Open the form again with what the event says by now; what was typed is given up. */
function openAnew(event) {
  event.preventDefault();
  event.stopPropagation();
  drafts.delete(draftKey());
  form().subject = "none";
  page.visit(location.href, { replace: true });
}

function receipt({ event, position, replayed, recorded, first_position: first, last_position: last }) {
  if (recorded) { tell("Recorded", page.make("b", { textContent: `Recorded: ${recorded} facts` }), ` at positions ${first} to ${last} of the log.`); return; }
  const to = page.make("a", { href: page.at(`/pledges/${event.pledge}#event-${event.id}`), textContent: `event ${event.version} of ${event.pledge}` });
  tell("Recorded", page.make("b", { textContent: replayed ? "It was recorded already: " : "Recorded: " }), to, ` at position ${position} of the log.`);
}

/** Say that a proposal waits, and what it would change. */
function waiting({ would, revision }) {
  const name = (status) => (status === null ? "no pledge" : status.replaceAll("_", " "));
  const change = !would ? `It is revision ${revision}.` : would.status_before === would.status_after ? "The status would stay as it is." : `The status would go from ${name(would.status_before)} to ${name(would.status_after)}.`;
  tell("Proposed", page.make("b", { textContent: "Proposed: " }), "it waits ", page.make("a", { href: page.at("/proposals"), textContent: "in the queue" }), ` for a monitor. ${change}`);
  $("[data-receipt]").append(...odd(page, would?.warnings, about().pledge));
}

/** Say what was done, and make the form ready for the next fact; the focus goes to its first field. */
function tell(word, ...said) {
  const box = $("[data-receipt]");
  box.replaceChildren(page.make("p", {}, ...said));
  box.hidden = false;
  const acted = form().shows;
  empty(form());
  for (const field of all("[data-many-verdict], [data-many-value], [data-slug], [data-note], #passage", form())) field.value = "";
  for (const place of all("[data-found], [data-capture], [data-difference]", form())) place.replaceChildren();
  touched.clear();
  showSource();
  form().typed = JSON.stringify(read(form()));
  hint(`${word}. Fill in the form again for the next fact.`);
  const next = acted ? null : $("[data-pointer]", form());
  (next ?? box).focus();
}

/* --- the source, which stays */

function keepSource({ source }) {
  if (!source) return;
  const { locator, reference, ...kept } = source;
  lastSource = kept;
}

const sourceBox = () => $("[data-source]");

/** Show in one line that the source is that of the fact before, unless another one is in the fields. */
function showSource() {
  const box = sourceBox();
  if (!box || !lastSource) return;
  const given = read(box).source;
  if (given && JSON.stringify(given) !== JSON.stringify({ tier: given.tier })) return;
  fill(box, { source: lastSource });
  const { publisher, title, published_on: on, url } = lastSource;
  $("[data-source-words]", box).textContent = `Same source as before: ${[publisher, title && `“${title}”`, on, url].filter(Boolean).join(", ")}`;
  for (const part of all(":scope > :not(legend, [data-source-line])", box)) part.hidden = true;
  $("[data-source-line]", box).hidden = false;
}

function openSource() {
  const box = sourceBox();
  if (!box) return;
  for (const part of all(":scope > *", box)) part.hidden = part.matches("[data-source-line]");
}

/* --- opening the form */

/** Put into the form what it begins with: the event that it corrects, then what was typed and is not recorded yet. */
async function refill() {
  const own = form();
  const { type, proposal: revised } = about();
  if (own.shows) {
    const { figure } = own.shows;
    if (type === "EventCorrected") fill($("[data-corrected]", own), { changes: own.shows });
    else if (figure) fill($("[data-part=figure]", own), { figure });
  }
  const draft = drafts.get(draftKey());
  if (draft) {
    fill(own, draft);
    for (const field of all("[data-pointer]", own)) if (at(draft, field.dataset.pointer) !== undefined) touched.add(field.dataset.pointer);
  }
  showSource();
  own.typed = JSON.stringify(read(own));
  if (!revised || !page.key() || own.revised === revised) return;
  if (draft) { own.revised = revised; return; }
  const { ok, said } = await ask(`/v1/proposals/${revised}`).catch(() => ({ ok: false, said: {} }));
  if (!ok || form() !== own) { if (said.detail) summarise([{ message: said.detail }]); return; }
  own.revised = revised;
  openSource();
  const { changes, ...rest } = said.fact;
  fill(own, changes && own.shows ? { ...rest, changes: merged(own.shows, changes) } : said.fact);
  own.typed = JSON.stringify(read(own));
  if (said.reason) $("[data-returned]").replaceChildren(page.make("b", { textContent: `${said.decided_by ?? "A monitor"} returned it: ` }), said.reason);
  $("[data-returned]").hidden = !said.reason;
  touched.add("/stated_on");
  preview();
}

/** A value with a merge patch (RFC 7386). */
function merged(value, change) {
  if (typeof change !== "object" || change === null || Array.isArray(change)) return change;
  const found = { ...(typeof value === "object" && value !== null && !Array.isArray(value) ? value : {}) };
  for (const [name, part] of Object.entries(change)) {
    if (part === null) delete found[name];
    else found[name] = merged(found[name], part);
  }
  return found;
}

function noted(pointer) {
  touched.add(pointer);
  const stated = read(form());
  form().typed = JSON.stringify(stated);
  const draft = drafts.get(draftKey()) ?? {};
  for (const field of all("[data-pointer], [data-none]", form())) delete draft[(field.dataset.pointer ?? field.dataset.none).split("/")[1]];
  // What the form began with was typed by nobody, so no other form takes it over.
  if (isDefault(input("/stated_on"))) delete stated.stated_on;
  drafts.set(draftKey(), { ...draft, ...stated });
  previewLater(turn);
}

function note({ target }) {
  const pointer = target.dataset.pointer ?? target.dataset.none ?? (target.matches("[data-slug]") ? "/pledge" : target.closest("[data-many]") ? "/member" : null);
  if (pointer) noted(pointer);
}

/** The event that a form acts on is in the address, so that its own form opens. */
function chooseEvent({ target }) {
  if (target.dataset.pointer !== "/event" || !["EventCorrected", "FigureRestated"].includes(about().type)) return;
  const url = new URL(location.href);
  if (target.value) url.searchParams.set("event", target.value);
  else url.searchParams.delete("event");
  if (url.href !== location.href) page.visit(url.href); // else its form is open already, and is being filled in
}

/** Begin a part of a revision with what is in force: it is said whole, so it is changed and not written anew. */
function beginWith(part) {
  const terms = JSON.parse(about().terms);
  fill($(`[data-part="${part}"]`, form()), { [part]: terms[part] });
  noted(`/${part}`);
}

function press(event) {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  if (about().proposal) $("[data-propose]").click();
  else form().requestSubmit();
}

let previewLater = null;

function follows(own) {
  // A preview that was asked for before the fact was sent is dropped: sending shows its own errors.
  previewLater ??= page.later(350, (asked) => asked === turn && preview());
  own.addEventListener("input", note);
  own.addEventListener("change", chooseEvent);
  own.addEventListener("submit", record);
  own.addEventListener("keydown", press);
  own.addEventListener("click", ({ target }) => {
    if (target.matches("[data-source-change]")) { openSource(); input("/source/publisher").focus(); }
    if (target.matches("[data-begin-with]")) beginWith(target.dataset.beginWith);
  });
  $("[data-propose]", own).addEventListener("click", record);
  follow(own, () => noted("/"));
}

export function enhance(given) {
  page = given;
  enhanceFinder();
  const own = form();
  if (!own) return;
  if (!own.subject) follows(own);
  enableButtons();
  enhancePassage(page, own, about);
  enhanceCapture(page, own);
  showOwn(page);
  const { pledge, type, event, proposal: revised, shows: shown, version } = about();
  const before = own.subject;
  own.subject = [pledge, type, event, revised].join(" ");
  if (before === own.subject) {
    // The page was brought up to date below the form: what it corrects must still be what it was opened with.
    if (JSON.stringify(own.shows) === JSON.stringify(shown ? JSON.parse(shown) : null)) own.version = version;
    if ((revised && own.revised !== revised) || own.typed !== JSON.stringify(read(own))) refill();
    return;
  }
  own.shows = shown ? JSON.parse(shown) : null;
  own.version = version;
  own.revised = null;
  touched.clear();
  if (before) {
    clear();
    empty(own);
    openSource();
    $("[data-receipt]").hidden = true;
    hint("Fill in the form: the status that would follow appears here. Nothing is written before you record it.");
  }
  refill();
  preview();
}

/* --- finding the pledge by its title */

function enhanceFinder() {
  const finder = $("#find");
  if (!finder || finder.isReady) return;
  finder.isReady = true;
  finder.addEventListener("input", page.later(200, async () => {
    const words = finder.value.trim();
    if (words.length < 2) return;
    const headers = page.key() ? { Authorization: `Bearer ${page.key()}` } : {};
    const answer = await fetch(page.at(`/v1/pledges?limit=8&fields=pledge,title&q=${encodeURIComponent(words)}`), { headers }).catch(() => null);
    if (!answer?.ok || finder.value.trim() !== words) return;
    const { items } = await answer.json();
    $("#found-pledges").replaceChildren(...items.map(({ pledge, title }) => page.make("option", { value: pledge, label: title })));
  }));
}

