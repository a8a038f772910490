/* The queue of proposals: read with the key in hand, each with the difference that it would make, and decided on. */

import { shown } from "./record_fields.js";
import { difference, exact, odd } from "./record_preview.js";

let page = null;
let turn = 0;

const PAGE_ITEMS = 20;
const $ = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const unique = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const words = (status) => (status === null ? "No pledge yet" : status.replaceAll("_", " ").replace(/^./, (letter) => letter.toUpperCase()));

async function ask(url, body, headers = {}) {
  try {
    const answer = await fetch(page.at(url), {
      method: body === undefined ? "GET" : "POST",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { ...(body === undefined ? {} : { "Content-Type": "application/json" }), Accept: "application/json", Authorization: `Bearer ${page.key()}`, ...headers },
    });
    if (answer.status === 401) page.forget();
    return { status: answer.status, ok: answer.ok, said: await answer.json() };
  } catch {
    return { status: 0, ok: false, said: { detail: "The server does not answer.", title: "No answer" } };
  }
}

function hint(text) { $("[data-queue]").replaceChildren(page.make("p", { className: "empty", textContent: text })); }

/* --- one proposal */

/** Show what recording the fact would do now: the status before and after it, and what is odd about it. */
async function weigh(item, box) {
  const about = encodeURIComponent(item.pledge);
  const opens = item.fact.type === "PledgeMade";
  const [dry, before] = await Promise.all([
    opens ? ask("/v1/pledges?dry_run=true", { pledge: item.pledge, fact: item.fact }) : ask(`/v1/pledges/${about}/events?dry_run=true`, item.fact),
    opens ? { ok: false } : ask(`/v1/pledges/${about}`),
  ]);
  const place = $(".change-box", box);
  if (dry.status === 403) { place.replaceChildren(page.make("p", { textContent: "What it would change is shown to monitors." })); return; }
  if (!dry.ok) { place.replaceChildren(page.make("p", {}, page.make("b", { textContent: "It would be refused now: " }), dry.said.errors?.[0]?.message ?? dry.said.detail)); return; }
  place.replaceChildren(...difference(page, before.ok ? before.said : null, dry.said.statuses[0]), ...odd(page, dry.said.warnings, opens ? "" : item.pledge));
}

const isPart = (value) => typeof value === "object" && value !== null && !value.op;

/** The fields of a fact with their values, as the form calls them. */
function fields(value, labels, pointer = "") {
  return Object.entries(value).flatMap(([name, part]) => {
    const at = Array.isArray(value) ? pointer : `${pointer}/${name}`;
    if (at === "/type") return [];
    if (isPart(part) && !(Array.isArray(part) && part.every((one) => !isPart(one)))) return fields(part, labels, at);
    const label = labels[at.replace(/^\/changes(?=\/)/, "")] ?? name.replaceAll("_", " ");
    const told = part === null ? "nothing any more" : part?.op ? `${shown(part)} (${exact(part)})` : part === true ? "yes" : part === false ? "no" : shown(part);
    return [page.make("div", {}, page.make("dt", { textContent: label }), page.make("dd", { textContent: told || "none any more" }))];
  });
}

/** Where its proposer revises it: the form, which opens with the fact. */
function revising({ proposal, pledge, fact }) {
  const query = new URLSearchParams({ type: fact.type, proposal });
  if (fact.type !== "PledgeMade") query.set("pledge", pledge);
  if (fact.event) query.set("event", fact.event);
  return page.make("a", { className: "button-quiet", href: page.at(`/record?${query}`), textContent: "Revise your own" });
}

const types = () => JSON.parse($("[data-proposals]").dataset.typeWords);

function draw(item) {
  const id = item.proposal;
  const named = (name, properties, ...children) => page.make(name, { ...properties, id: `${properties.id}-${id}` }, ...children);
  const title = named("h2", { id: "title" }, `${types()[item.fact.type] ?? item.fact.type} on `, page.make("a", { href: page.at(`/pledges/${item.pledge}`), textContent: item.pledge }));
  const when = page.make("time", { dateTime: item.proposed_at, textContent: `${item.proposed_at.slice(0, 16).replace("T", " ")} UTC` });
  const box = page.make("article", { className: "panel proposal", tabIndex: 0, dataset: { proposal: id } }, title,
    page.make("p", { className: "meta" }, `Proposed by ${item.proposed_by}, `, when, `, revision ${item.revision}`));
  box.setAttribute("aria-labelledby", title.id);
  box.setAttribute("aria-describedby", "queue-hint");
  if (item.note) box.append(page.make("blockquote", { textContent: item.note }));
  if (item.reason || item.decided_by) {
    box.append(page.make("p", {}, page.make("b", { textContent: words(item.state) }), item.decided_by ? ` by ${item.decided_by}` : "", item.reason ? `: ${item.reason}` : ""));
  }
  if (item.event) box.append(page.make("p", {}, page.make("a", { href: page.at(`/pledges/${item.pledge}#event-${item.event}`), textContent: "The event that it became" })));
  const raw = page.make("pre", { textContent: JSON.stringify(item.fact, null, 2), tabIndex: 0 });
  raw.setAttribute("aria-label", "The fact as JSON");
  raw.setAttribute("role", "group");
  const labels = JSON.parse($("[data-proposals]").dataset.words);
  box.append(page.make("div", { className: "change-box" }), page.make("dl", { className: "fact" }, ...fields(item.fact, labels)),
    page.make("details", {}, page.make("summary", { textContent: "As JSON" }), raw));
  if (item.state === "open" || item.state === "returned") box.append(...choices(item, box));
  if (item.state === "open") weigh(item, box);
  return box;
}

function choices(item, box) {
  const reason = page.make("textarea", { id: `reason-${item.proposal}`, maxLength: 4000, dataset: { reason: "" } });
  const error = page.make("p", { className: "error", id: `error-${item.proposal}`, dataset: { wrong: "" } });
  error.setAttribute("role", "alert");
  reason.setAttribute("aria-describedby", error.id);
  const acts = item.state === "open" ? [["accept", "Accept and record it"], ["return", "Return it"], ["decline", "Decline it"], ["withdraw", "Withdraw your own"]]
    : [["decline", "Decline it"], ["withdraw", "Withdraw your own"]];
  const buttons = acts.map(([act, label]) => {
    const button = page.make("button", { type: "button", textContent: label, className: act === "accept" ? "primary" : "", dataset: { act } });
    button.addEventListener("click", () => decide(item, box, act));
    return button;
  });
  return [page.make("div", { className: "field" }, page.make("label", { htmlFor: reason.id, textContent: "Reason, for who proposed it" }), reason),
    error, page.make("p", { className: "actions" }, ...buttons, revising(item))];
}

const DONE = { accept: "Accepted and recorded.", return: "Returned.", decline: "Declined.", withdraw: "Withdrawn." };

async function decide(item, box, act) {
  const reason = $("[data-reason]", box);
  const wrong = $("[data-wrong]", box);
  const text = reason.value.trim();
  wrong.textContent = "";
  reason.removeAttribute("aria-invalid");
  if (!text && (act === "return" || act === "decline")) {
    wrong.textContent = "Say why: who proposed it reads this.";
    reason.setAttribute("aria-invalid", "true");
    reason.focus();
    return;
  }
  const body = act === "accept" ? { revision: item.revision } : text ? { reason: text } : {};
  const buttons = all("button", box);
  for (const button of buttons) button.disabled = true;
  // The same content sent again is the same attempt, so that a retry never decides twice.
  const payload = JSON.stringify([act, body]);
  if (box.attempt?.payload !== payload) box.attempt = { payload, id: unique() };
  const { ok, said } = await ask(`/v1/proposals/${item.proposal}/${act}`, body, { "Idempotency-Key": box.attempt.id });
  for (const button of buttons) button.disabled = false;
  if (!ok) {
    page.say(`Not done: ${said.title}.`);
    const known = said.code === "revised" ? await ask(`/v1/proposals/${item.proposal}`) : null;
    if (known?.ok && box.isConnected) showRevised(known.said, box, text);
    else wrong.textContent = said.detail;
    return;
  }
  page.say(DONE[act]);
  const next = neighbour(box, 1) ?? neighbour(box, -1);
  const told = page.make("p", { className: "notice notice-good" }, page.make("b", { textContent: DONE[act] }), ` ${types()[item.fact.type] ?? item.fact.type} on ${item.pledge}. `,
    ...(said.event ? [page.make("a", { href: page.at(`/pledges/${item.pledge}#event-${said.event.id}`), textContent: `Event ${said.version}` })] : []));
  box.replaceWith(told);
  if (next) next.focus();
  else $("[data-proposal-state]").focus();
}

/** Show a proposal anew that its proposer revised meanwhile, with the reason that was typed: it is to be read again. */
function showRevised(item, box, text) {
  const anew = draw(item);
  box.replaceWith(anew);
  if ($("[data-reason]", anew)) $("[data-reason]", anew).value = text;
  if ($("[data-wrong]", anew)) $("[data-wrong]", anew).textContent = "It was revised since you opened it. This is the new revision: read it again.";
  anew.focus();
}

/* --- the queue */

function neighbour(box, step) {
  const boxes = all(".proposal");
  return boxes[boxes.indexOf(box) + step];
}

async function load(cursor = "") {
  const mine = ++turn;
  if (!page.key()) { hint("Give your key above, and what waits appears here."); return; }
  const state = $("[data-proposal-state]").value;
  const { ok, said } = await ask(`/v1/proposals?state=${state}&limit=${PAGE_ITEMS}${cursor ? `&cursor=${cursor}` : ""}`);
  if (mine !== turn || !$("[data-queue]")) return;
  if (!ok) { hint(said.detail); return; }
  if (!said.items.length && !cursor) { hint("There is none."); return; }
  const boxes = said.items.map(draw);
  if (!cursor) $("[data-queue]").replaceChildren(page.make("div", { className: "queue" }));
  $("[data-more]")?.remove();
  $(".queue").append(...boxes);
  if (said.next_cursor) {
    const more = page.make("button", { type: "button", textContent: "Show more", dataset: { more: "" } });
    more.addEventListener("click", () => load(said.next_cursor));
    $("[data-queue]").append(more);
  }
  if (cursor) boxes[0].focus();
}

/** Keys count only while a proposal has the focus, and never while something is typed. */
function press(event) {
  const box = event.target.closest?.(".proposal");
  if (!box || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("textarea, input, select")) return;
  const step = { j: 1, k: -1 }[event.key];
  const act = { a: "accept", r: "return", d: "decline" }[event.key];
  const button = act && $(`[data-act=${act}]`, box);
  if (step) neighbour(box, step)?.focus();
  else if (button) button.click();
  else return;
  event.preventDefault();
}

export function enhance(given) {
  page = given;
  const own = $("[data-proposals]");
  const key = page.key() ?? "";
  if (!own.isReady) {
    own.isReady = true;
    own.addEventListener("keydown", press);
    own.state = "open";
    $("[data-proposal-state]", own).addEventListener("change", ({ target }) => { own.state = target.value; load(); });
  }
  $("[data-proposal-state]", own).value = own.state;
  if (own.shownFor === key) return;
  own.shownFor = key;
  load();
}
