/* What stands around the form: a passage whose words fill fields, a copy of the source, and one's own last facts. */

import { unfold } from "./record_fields.js";

const $ = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

async function ask(page, url, { method = "GET", body, type = "application/json", headers = {} } = {}) {
  const sent = type === "application/json" && body !== undefined ? JSON.stringify(body) : body;
  const answer = await fetch(page.at(url), { method, body: sent, headers: { Accept: "application/json", Authorization: `Bearer ${page.key()}`, ...(body === undefined ? {} : { "Content-Type": type }), ...headers } });
  return { ok: answer.ok, status: answer.status, said: await answer.json() };
}

const NO_ANSWER = { ok: false, said: { detail: "The server does not answer." } };
const labelOf = (field) => (field.labels?.[0]?.textContent ?? "").replace("*", "").trim();

/* --- chips: what was found in a passage, each a button that fills a field */

/** Fields that take what was found, by its kind. */
const TAKES = {
  amount: (field) => ["quantity", "count"].includes(field.dataset.as),
  day: (field) => field.dataset.as === "date" || /\/(published_on|due|on)$/.test(field.dataset.pointer),
  date: (field) => /\/(published_on|due|on)$/.test(field.dataset.pointer),
  party: (field) => /\/name$/.test(field.dataset.pointer),
  member: (field) => field.dataset.pointer.endsWith("/member"),
  publisher: (field) => field.dataset.pointer.endsWith("/publisher"),
  quote: (field) => field.dataset.pointer.endsWith("/quote"),
};

/** The field that a chip fills: the one in use last if it fits, else the first empty one that is shown, else none. */
function destination(form, kind) {
  const fitting = all("[data-pointer]", form).filter(TAKES[kind]);
  if (fitting.includes(form.inUse)) return form.inUse;
  const isShown = (field) => field.offsetParent !== null;
  return fitting.find((field) => isShown(field) && !field.value) ?? fitting.find((field) => !field.value);
}

function give(field, value) {
  unfold(field);
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Put what was found into its field; a party's code goes with its name. */
function use(page, form, { kind, value, code }) {
  const field = destination(form, kind);
  if (!field) { page.say("No field is left for it."); return; }
  give(field, value);
  const codeField = kind === "party" && all("[data-pointer]", form).find((one) => one.dataset.pointer === field.dataset.pointer.replace(/name$/, "code"));
  if (codeField) give(codeField, code ?? "");
  page.say(`${labelOf(field)}: ${value}`);
  form.inUse = null;
  name(form);
}

/** Say on each chip which field it would fill. */
function name(form) {
  for (const chip of all("[data-chip]", form)) {
    const field = destination(form, chip.dataset.chip);
    $(".chip-to", chip).textContent = field ? ` → ${labelOf(field)}` : " (no field is left for it)";
  }
}

function chip(page, form, found, words) {
  const made = page.make("button", { type: "button", className: "chip", dataset: { chip: found.kind } }, words, page.make("span", { className: "chip-to quiet" }));
  made.addEventListener("click", () => use(page, form, found));
  return page.make("li", {}, made);
}

function group(page, title, chips) {
  return chips.length ? [page.make("h4", { textContent: title }), page.make("ul", { className: "chips" }, ...chips)] : [];
}

async function find(page, form, about) {
  const box = $("[data-found]", form);
  const passage = $("#passage").value.trim();
  if (!passage) { box.replaceChildren(page.make("p", { className: "error", textContent: "Paste a passage first." })); $("#passage").focus(); return; }
  if (!page.key()) { box.replaceChildren(page.make("p", { className: "error", textContent: "Give your key above first." })); return; }
  const { pledge } = about();
  const { ok, said } = await ask(page, "/record/reading", { method: "POST", body: { passage, ...(pledge ? { pledge } : {}) } }).catch(() => NO_ANSWER);
  if (!ok) { box.replaceChildren(page.make("p", { className: "error", textContent: said.errors?.[0]?.message ?? said.detail })); return; }
  const each = (found, told) => found.map((one) => chip(page, form, one, told(one)));
  const parts = [
    ...group(page, "Amounts", each(said.amounts.map(({ text, words, exact }) => ({ kind: "amount", value: words, text, exact })), ({ text, exact }) => (exact.replaceAll("\u00a0", " ") === text ? text : `${text} (${exact})`))),
    ...group(page, "Days", each(said.dates.map(({ date, text }) => ({ kind: /^\d{4}-\d\d-\d\d$/.test(date) ? "day" : "date", value: date, text })), ({ value, text }) => (text === value ? value : `${text} (${value})`))),
    ...group(page, "Who", [...each(said.parties.map((party) => ({ kind: "party", value: party.name, code: party.code })), ({ value, code }) => (code ? `${value} (${code})` : value)),
      ...each(destination(form, "member") === undefined ? [] : said.members.map(({ name: title, code }) => ({ kind: "member", value: code, title })), ({ value, title }) => (title === value ? value : `${title} (${value})`)),
      ...each(said.publishers.map((title) => ({ kind: "publisher", value: title })), ({ value }) => value)]),
    ...(passage.length <= 300 ? group(page, "Words", [chip(page, form, { kind: "quote", value: passage }, "The passage")]) : []),
  ];
  box.replaceChildren(...(parts.length ? [page.make("p", { className: "hint", textContent: "A chip fills the field you were in last, if it fits, else the first empty one." }), ...parts] : [page.make("p", { className: "quiet", textContent: "Our readers find no amount, day or known party in it." })]));
  name(form);
  $("[data-chip]", box)?.focus();
}

export function enhancePassage(page, form, about) {
  if (form.reads) return;
  form.reads = true;
  form.addEventListener("focusin", ({ target }) => { if (target.matches("[data-pointer]")) { form.inUse = target; name(form); } });
  form.addEventListener("input", () => name(form));
  $("[data-read-passage]", form).addEventListener("click", () => find(page, form, about));
}

/* --- a copy of the source */

const KEPT = ["application/pdf", "application/warc", "image/jpeg", "image/png", "text/html", "text/plain"];

async function keep(page, form, file) {
  const told = $("[data-capture]", form);
  unfold(told);
  if (!page.key()) { told.textContent = "Give your key above first."; return; }
  told.textContent = `Keeping ${file.name} …`;
  const type = KEPT.includes(file.type) ? file.type : "application/octet-stream";
  const { ok, said } = await ask(page, "/v1/captures", { method: "PUT", body: file, type }).catch(() => NO_ANSWER);
  if (!ok) { told.textContent = `Not kept: ${said.detail}`; return; }
  const own = (pointer) => all("[data-pointer]", form).find((field) => field.dataset.pointer === pointer);
  const proof = own("/sha256");
  give(proof ?? own("/source/sha256"), said.sha256);
  if (proof) { give(own("/media_type"), said.media_type); give(own("/bytes"), String(said.bytes)); }
  told.textContent = `Kept: ${file.name}, ${said.bytes.toLocaleString("en")} bytes, SHA-256 ${said.sha256.slice(0, 8)}….`;
}

export function enhanceCapture(page, form) {
  if (form.keeps) return;
  form.keeps = true;
  const over = (event) => { if ([...event.dataTransfer.types].includes("Files")) { event.preventDefault(); form.dataset.over = ""; } };
  form.addEventListener("dragover", over);
  form.addEventListener("dragleave", (event) => { if (!form.contains(event.relatedTarget)) delete form.dataset.over; });
  form.addEventListener("drop", (event) => {
    delete form.dataset.over;
    const [file] = event.dataTransfer.files;
    if (!file) return;
    event.preventDefault();
    keep(page, form, file);
  });
  $("#capture").addEventListener("change", ({ target }) => { if (target.files[0]) keep(page, form, target.files[0]); });
}

/* --- my last facts, each with undo */

const unique = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

let listedFor = null;

/** List the facts that were recorded last with the key in hand; again with `anew`, else only for another key. */
export async function showOwn(page, anew = false) {
  const box = $("[data-own]");
  const key = page.key();
  if (!box || (!anew && listedFor === key && $("[data-own-list]", box).childElementCount)) return;
  listedFor = key;
  if (!key) { box.hidden = true; return; }
  const { ok, said } = await ask(page, "/record/mine").catch(() => NO_ANSWER);
  if (!ok || !box.isConnected || page.key() !== key) { box.hidden = true; return; }
  box.hidden = said.items.length === 0;
  $("[data-own-list]", box).replaceChildren(page.make("ol", { className: "own-list" }, ...said.items.map((item) => line(page, item))));
}

function line(page, item) {
  const to = page.make("a", { href: page.at(`/pledges/${item.pledge}#event-${item.event}`), textContent: item.words });
  const row = page.make("li", { dataset: { own: item.event } }, to, " ", page.make("span", { className: "meta", textContent: item.pledge }), " ");
  if (item.is_void) row.append(page.make("span", { className: "flag", textContent: "void" }));
  else if (item.can_undo) {
    const button = page.make("button", { type: "button", className: "button-quiet", textContent: "Undo" });
    button.append(page.make("span", { className: "visually-hidden", textContent: ` event ${item.words}` }));
    button.addEventListener("click", () => { button.hidden = true; row.append(undo(page, item, button)); $("input", row).focus(); });
    row.append(button);
  }
  return row;
}

/** The little form that voids a fact of one's own: it asks for a reason, and is sent once however often. */
function undo(page, item, button) {
  const id = `undo-${item.event}`;
  const reason = page.make("input", { type: "text", id, maxLength: 4000, autocomplete: "off" });
  const wrong = page.make("p", { className: "error", id: `${id}-error` });
  reason.setAttribute("aria-describedby", wrong.id);
  const made = page.make("form", { className: "undo" }, page.make("label", { htmlFor: id, textContent: "Why should it not have been recorded?" }), reason, wrong,
    page.make("p", { className: "actions" }, page.make("button", { type: "submit", textContent: "Void it" }), page.make("button", { type: "button", className: "button-quiet", textContent: "Leave it" })));
  const key = unique();
  $("[type=button]", made).addEventListener("click", () => { made.remove(); button.hidden = false; button.focus(); });
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = reason.value.trim();
    if (!text) { wrong.textContent = "Give a reason: it is recorded with the void."; reason.setAttribute("aria-invalid", "true"); reason.focus(); return; }
    const fact = { type: "EventVoided", stated_on: item.today, event: item.event, reason: text };
    const { ok, said } = await ask(page, `/v1/pledges/${item.pledge}/events`, { method: "POST", body: fact, headers: { "Idempotency-Key": key } }).catch(() => NO_ANSWER);
    if (!ok) { wrong.textContent = said.errors?.[0]?.message ?? said.detail; reason.focus(); return; }
    page.say("Voided.");
    await showOwn(page, true);
    $(`[data-own="${said.event.id}"] a`)?.focus();
  });
  return made;
}
