/* The form that records a fact: what was typed becomes a fact, and a dry run says what it would give. */

let page = null;
let attempt = null;

const $ = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const form = () => $(".record-form");
const touched = new Set();

/** What was typed and is not recorded yet, by pledge and pointer: the form of another type of fact takes it over. */
const drafts = new Map();

class Unreadable extends Error {
  constructor(pointer, message) { super(message); this.pointer = pointer; }
}

/** The value of a field as JSON has it; undefined if it is blank. */
function value(field) {
  if (field.dataset.as === "check") return field.checked || undefined;
  const text = field.value.trim();
  if (!text) return undefined;
  switch (field.dataset.as) {
    case "number": return /^\d+$/.test(text) ? Number(text) : text;
    case "list": return text.split(/[\s,]+/).filter(Boolean);
    case "json":
      try { return JSON.parse(text); } catch { throw new Unreadable(field.dataset.pointer, "this is not JSON"); }
    default: return text;
  }
}

/** The fact that the form states, as JSON has it. */
function fact() {
  const found = { type: $("[data-record]").dataset.type };
  for (const field of all("[data-pointer]", form())) {
    const given = value(field);
    if (given === undefined || (field.dataset.pointer === "/precision" && given === "day")) continue;
    const path = field.dataset.pointer.slice(1).split("/");
    const last = path.pop();
    let place = found;
    for (const name of path) place = place[name] ??= {};
    place[last] = given;
  }
  return found;
}

function request() {
  const { pledge, type } = $("[data-record]").dataset;
  const slug = $("[data-slug]")?.value.trim();
  if (type === "PledgeMade") return { url: page.at("/v1/pledges"), body: { ...(slug ? { pledge: slug } : {}), fact: fact() }, under: "/fact" };
  return { url: page.at(`/v1/pledges/${encodeURIComponent(pledge)}/events`), body: fact(), under: "" };
}

/* --- errors at their field, by JSON pointer */

function clear() {
  for (const place of all("[data-error], [data-error-form], [data-parsed]")) place.textContent = "";
  for (const field of all("[aria-invalid]")) field.removeAttribute("aria-invalid");
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

/** Show errors at their fields; without `everything` only at those that were touched. `under` is the place of the fact. */
function complain(errors, under, everything) {
  let first = null;
  const rest = [];
  for (const { pointer, message } of errors) {
    const own = under && pointer.startsWith(under) ? pointer.slice(under.length) : pointer;
    const name = nearest(own);
    if (name === undefined) { rest.push(message); continue; }
    if (!everything && !touched.has(name)) continue;
    const field = input(name);
    const place = all("[data-error]").find((p) => p.dataset.error === name);
    place.textContent = place.textContent ? `${place.textContent}; ${message}` : message;
    field?.setAttribute("aria-invalid", "true");
    first ??= field;
  }
  if (everything) {
    $("[data-error-form]").textContent = rest.join("; ");
    first?.focus();
  }
}

/* --- what the fact would give */

const OPS = { eq: "", ge: "at least ", gt: "over ", le: "up to ", lt: "under ", approx: "about ", nearly: "nearly " };

function grouped(text) {
  const [whole, rest] = text.replace("-", "").split(".");
  return `${text.startsWith("-") ? "−" : ""}${whole.replace(/\B(?=(\d{3})+$)/g, ",")}${rest ? `.${rest}` : ""}`;
}

/** A quantity in full: nothing is rounded where a monitor checks it. */
function exact(quantity) {
  if (!quantity) return "—";
  const unit = quantity.unit.replace(/^count:|^percent:/, (kind) => (kind === "percent:" ? "% " : "")).replaceAll("-", " ");
  if (quantity.op === "between") return `between ${grouped(quantity.value)} and ${grouped(quantity.upper)} ${unit}`;
  return `${OPS[quantity.op]}${grouped(quantity.value)} ${/^[A-Z]{3}$/.test(quantity.unit) ? quantity.unit : unit}`;
}

/** A ratio in percent; the digits are moved, nothing is rounded. */
function percent(ratio) {
  const moved = (text) => {
    const [whole, rest = ""] = text.split(".");
    const digits = rest.padEnd(2, "0");
    return `${(whole + digits.slice(0, 2)).replace(/^(-?)0+(?=\d)/, "$1")}${digits.length > 2 ? `.${digits.slice(2)}` : ""} %`;
  };
  return ratio.op === "between" ? `between ${moved(ratio.value)} and ${moved(ratio.upper)}` : OPS[ratio.op] + moved(ratio.value);
}

function mark(status) {
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("class", "icon");
  icon.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${status}`);
  icon.append(use);
  const word = status.replaceAll("_", " ");
  return page.make("span", { className: `status s-${status}` }, icon, page.make("span", { textContent: word[0].toUpperCase() + word.slice(1) }));
}

/** Show the quantities as they were read, and the status that the fact would give. */
function showPreview(answer) {
  const [status] = answer.statuses;
  const [event] = answer.events;
  for (const place of all("[data-parsed]")) {
    const found = place.dataset.parsed.slice(1).split("/").reduce((at, name) => at?.[name], event.fact);
    place.textContent = found?.op ? exact(found) : "";
  }
  if (!status) { $("[data-preview]").replaceChildren(page.make("p", { textContent: "The pledge would not exist any more." })); return; }
  const pairs = [["Promised", exact(status.target)], ["Reported", exact(status.actual)], ["Progress", status.ratio ? percent(status.ratio) : "—"],
    ["Evidence", status.evidence.replaceAll("_", " ")], ["Flags", status.flags.join(", ").replaceAll("_", " ") || "none"], ["It would be event", String(event.version)]];
  const list = page.make("dl", {}, ...pairs.map(([name, text]) => page.make("div", {}, page.make("dt", { textContent: name }), page.make("dd", { className: "num", textContent: text }))));
  $("[data-preview]").replaceChildren(page.make("p", {}, mark(status.status)), list, ...odd(answer.warnings));
}

/** What to look at again before it is recorded, each with the event that it is held against. */
function odd(warnings) {
  if (!warnings.length) return [];
  const slug = $("[data-record]").dataset.pledge;
  return [page.make("h3", { textContent: "Look again" }), page.make("ul", {}, ...warnings.map(({ message, event }) => page.make(
    "li", {}, message, ...(event && slug ? [" ", page.make("a", { href: page.at(`/pledges/${slug}#event-${event}`), textContent: "see it" })] : [])
  )))];
}

function hint(text) { $("[data-preview]").replaceChildren(page.make("p", { className: "quiet", textContent: text })); }

async function post(url, body, headers = {}) {
  return fetch(url, {
    method: "POST", body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", Accept: "application/json", Authorization: `Bearer ${page.key()}`, ...headers },
  });
}

let turn = 0;

export async function preview() {
  if (!form() || !touched.size) return;
  const mine = ++turn;
  if (!page.key()) { hint("Give your key above, and the status that would follow appears here."); return; }
  clear();
  try {
    const { url, body, under } = request();
    const answer = await post(`${url}?dry_run=true`, body);
    const said = await answer.json();
    if (mine !== turn || !form()) return;
    if (answer.ok) { showPreview(said); return; }
    complain(said.errors ?? [], under, false);
    hint(answer.status === 422 || answer.status === 409 ? `Not yet: ${said.errors?.[0]?.pointer ? `${said.errors[0].pointer.replace(under, "")}: ` : ""}${said.errors?.[0]?.message ?? said.detail}` : said.detail);
  } catch (error) {
    if (error instanceof Unreadable) complain([{ pointer: error.pointer, message: error.message }], "", false);
    else if (form()) hint("The server does not answer.");
  }
}

/* --- recording */

/** A new Idempotency-Key. `crypto.randomUUID` does not exist on a page of plain http. */
const unique = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** The request that the form makes; undefined if a field cannot be read, which is said at the field. */
function readable() {
  try {
    return request();
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    complain([{ pointer: error.pointer, message: error.message }], "", true);
    return undefined;
  }
}

/** The answer and its JSON; undefined if no answer came, or none of JSON. */
async function send(url, body) {
  try {
    const answer = await post(url, body, { "Idempotency-Key": attempt.id });
    return { answer, said: await answer.json() };
  } catch {
    return undefined;
  }
}

/** The same request as a proposal; undefined if it names no pledge, which is said at the field. */
function proposal({ body, under }) {
  const pledge = $("[data-record]").dataset.pledge || body.pledge;
  if (pledge) return { url: page.at("/v1/proposals"), body: { pledge, fact: under ? body.fact : body }, under: "/fact" };
  complain([{ pointer: "/pledge", message: "a proposal names its pledge: give the slug" }], "", true);
  return undefined;
}

/** Send what was typed: to be recorded, or by its own button to be proposed. */
async function record(event) {
  event.preventDefault();
  const proposes = event.type === "click";
  clear();
  ++turn;
  if (!page.key()) {
    $("[data-error-form]").textContent = proposes ? "Proposing needs a key: give it above." : "Recording needs a monitor’s key: give it above.";
    $("#key")?.focus();
    return;
  }
  const typed = readable();
  const wanted = typed && proposes ? proposal(typed) : typed;
  if (!wanted) return;
  const { url, body, under } = wanted;
  // The same content sent again is the same attempt, so that a retry never records twice.
  const payload = JSON.stringify([url, body]);
  if (attempt?.payload !== payload) attempt = { payload, id: unique() };
  const { pledge } = $("[data-record]").dataset;
  const buttons = all("[data-submit], [data-propose]");
  for (const button of buttons) button.disabled = true;
  const sent = await send(url, body);
  for (const button of buttons) button.disabled = false;
  if (sent?.answer.ok) {
    attempt = null;
    drafts.delete(pledge);
    if (form()) (proposes ? waiting : receipt)(sent.said);
    page.say(proposes ? "Proposed." : "Recorded.");
    return;
  }
  page.say(`Not ${proposes ? "proposed" : "recorded"}: ${sent?.said.title ?? "the server does not answer"}.`);
  if (sent?.answer.status === 401) page.forget();
  if (!form()) return;
  if (sent) complain(sent.said.errors?.length ? sent.said.errors : [{ pointer: "", message: sent.said.detail }], under, true);
  else $("[data-error-form]").textContent = "The server does not answer. Send it again: it will be recorded once at most.";
}

function receipt({ event, position, replayed }) {
  const to = page.make("a", { href: page.at(`/pledges/${event.pledge}#event-${event.id}`), textContent: `event ${event.version} of ${event.pledge}` });
  tell("Recorded", page.make("b", { textContent: replayed ? "It was recorded already: " : "Recorded: " }), to, ` at position ${position} of the log.`);
}

/** Say that a proposal waits, and what it would change. */
function waiting({ would }) {
  const name = (status) => (status === null ? "no pledge" : status.replaceAll("_", " "));
  const change = would.status_before === would.status_after ? "The status would stay as it is." : `The status would go from ${name(would.status_before)} to ${name(would.status_after)}.`;
  tell("Proposed", page.make("b", { textContent: "Proposed: " }), "it waits ", page.make("a", { href: page.at("/proposals"), textContent: "in the queue" }), ` for a monitor. ${change}`);
}

function tell(word, ...said) {
  const box = $("[data-receipt]");
  box.replaceChildren(page.make("p", {}, ...said));
  box.hidden = false;
  form().reset();
  touched.clear();
  hint(`${word}. Fill in the form again for the next fact.`);
  box.focus();
}

/** Put the draft of the pledge into the fields that the form has. An event that the address names is kept. */
function refill() {
  const draft = drafts.get($("[data-record]").dataset.pledge) ?? new Map();
  for (const [pointer, given] of draft) {
    const field = input(pointer);
    if (!field || (pointer === "/event" && $("option[selected]", field))) continue;
    if (field.dataset.as === "check") field.checked = given;
    else if (!field.options || [...field.options].some((option) => option.value === given)) field.value = given;
    touched.add(pointer);
  }
}

function note({ target }) {
  const pointer = target.dataset.pointer ?? (target.matches("[data-slug]") ? "/pledge" : null);
  if (!pointer) return;
  touched.add(pointer);
  const { pledge } = $("[data-record]").dataset;
  if (!drafts.has(pledge)) drafts.set(pledge, new Map());
  drafts.get(pledge).set(pointer, target.dataset.as === "check" ? target.checked : target.value);
  previewLater(turn);
}

let previewLater = null;

export function enhance(given) {
  page = given;
  const own = form();
  if (!own) return;
  if (!own.subject) {
    // A preview that was asked for before the fact was sent is dropped: sending shows its own errors.
    previewLater ??= page.later(350, (asked) => asked === turn && preview());
    own.addEventListener("input", note);
    own.addEventListener("submit", record);
    $("[data-propose]", own).addEventListener("click", record);
  }
  const { pledge, type } = $("[data-record]").dataset;
  const before = own.subject;
  own.subject = `${pledge} ${type}`;
  if (before === own.subject) { refill(); return; }
  touched.clear();
  if (before) {
    clear();
    own.reset();
    $("[data-receipt]").hidden = true;
    hint("Fill in the form: the status that would follow appears here. Nothing is written before you record it.");
  }
  refill();
  preview();
}
