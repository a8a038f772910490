/* What recording a fact would change: a status before and after, and what a correction changes, in words. */

import { OPS, at } from "./record_fields.js";

const $ = (selector, root = document) => root.querySelector(selector);

function grouped(text) {
  const [whole, rest] = text.replace("-", "").split(".");
  return `${text.startsWith("-") ? "−" : ""}${whole.replace(/\B(?=(\d{3})+$)/g, ",")}${rest ? `.${rest}` : ""}`;
}

/** A quantity in full: nothing is rounded where a monitor checks it. */
export function exact(quantity) {
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

export const capital = (name) => { const words = name.replaceAll("_", " "); return words && words[0].toUpperCase() + words.slice(1); };

/** A status with its icon; null is no pledge. */
export function mark(page, status) {
  if (!status) return page.make("span", { className: "status", textContent: "No pledge" });
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("class", "icon");
  icon.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${status}`);
  icon.append(use);
  return page.make("span", { className: `status s-${status}` }, icon, page.make("span", { textContent: capital(status) }));
}

const counted = (value) => (value === null || value === undefined ? "not known" : typeof value === "object" ? exact(value) : String(value));

function membersOf(status) {
  const members = status?.members;
  if (!members) return "";
  const total = members.eligible ?? members.total;
  return `${counted(members.met)} of ${counted(total)} met it, ${counted(members.not_met)} did not`;
}

const stepsOf = (status) => (status?.milestones ?? []).map(({ milestone, state }) => `${milestone}: ${state.replaceAll("_", " ")}`).join("; ");
const keptOf = ({ periods_tally: tally } = {}) => (tally ? `${tally.kept} of ${tally.closed} periods kept` : "");

/** What is told of a status: its name, and how it reads. What is blank before and after is left out. */
const TOLD = [
  ["Promised", (status) => exact(status.target)],
  ["Reported", (status) => exact(status.actual)],
  ["Ratio", ({ ratio, actual }) => (!ratio ? "—" : ratio.value === "0" && Number(actual?.value) > 0 ? "under 0.0001 %" : percent(ratio))],
  ["Members", membersOf],
  ["Steps", stepsOf],
  ["Periods", keptOf],
  ["Deadline", ({ window }) => window?.latest ?? window?.end ?? ""],
  ["Conditions", ({ conditions = [] }) => conditions.map(({ condition, state }) => `${condition.replaceAll("-", " ")}: ${state}`).join("; ")],
  ["Instalments", ({ instalments = [] }) => instalments.map(({ due, state }) => `${due}: ${state}`).join("; ")],
  ["Schedule", ({ schedule }) => schedule.current.replaceAll("_", " ")],
  ["Trajectory", ({ trajectory }) => (trajectory ?? "").replaceAll("_", " ")],
  ["Claimed", ({ claimed_trajectory: claims = [] }) => claims.map(({ trajectory }) => trajectory.replaceAll("_", " ")).join(", ")],
  ["Evidence", ({ evidence }) => evidence.replaceAll("_", " ")],
  ["Flags", ({ flags }) => flags.join(", ").replaceAll("_", " ") || "none"],
  ["Verdict", ({ assessment }) => (assessment ? `${assessment.rating} (${assessment.rubric})` : "")],
];

/** The status before and after, and each line of it: what changes as before → after, the rest as it stays. */
export function difference(page, before, after) {
  if (!after) return [page.make("p", { textContent: "The pledge would not exist any more." })];
  const arrow = () => { const made = page.make("span", { className: "arrow", textContent: " → " }); made.setAttribute("aria-label", "becomes"); made.setAttribute("role", "img"); return made; };
  const changes = !before || before.status !== after.status;
  const head = page.make("p", { className: "change" }, ...(changes ? [mark(page, before?.status), arrow()] : []), mark(page, after.status), ...(changes ? [] : [page.make("span", { className: "quiet", textContent: " stays" })]));
  const lines = [];
  for (const [name, tell] of TOLD) {
    const [was, is] = [before ? tell(before) : "", tell(after)];
    if (!was && !is) continue;
    const differs = before && was !== is;
    lines.push(page.make("div", { className: differs ? "is-changed" : "" }, page.make("dt", { textContent: name }),
      page.make("dd", { className: "num" }, ...(differs ? [page.make("span", { className: "was", textContent: was || "—" }), arrow()] : []), is || "—")));
  }
  return [head, page.make("dl", {}, ...lines)];
}

/** What to look at again before it is recorded, each with the event that it is held against. */
export function odd(page, warnings, slug) {
  if (!warnings?.length) return [];
  return [page.make("h3", { textContent: "Look again" }), page.make("ul", { className: "warnings" }, ...warnings.map(({ message, event }) => page.make(
    "li", {}, message, ...(event && slug ? [" ", page.make("a", { href: page.at(`/pledges/${slug}#event-${event}`), textContent: "see it" })] : [])
  )))];
}

/** Show the quantities of a fact as they were read, below their fields. */
export function showRead(places, fact) {
  for (const place of places) {
    const found = at(fact, place.dataset.parsed);
    place.textContent = found?.op ? exact(found) : "";
  }
}

const label = (pointer) => {
  const field = [...document.querySelectorAll("[data-field]")].find((one) => one.dataset.field === pointer || pointer.startsWith(`${one.dataset.field}/`));
  return ($("label, .label", field ?? document.createElement("p"))?.textContent ?? pointer.slice(1)).replace("*", "").trim();
};

const told = (value) => {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return value.length ? value.map((part) => (typeof part === "object" ? Object.values(part).map(told).join(" ") : String(part))).join(", ") : "none";
  if (typeof value !== "object") return value === true ? "yes" : value === false ? "no" : String(value);
  return value.op ? exact(value) : Object.values(value).map(told).join(" ");
};

/** The parts of a fact that a patch changes: (pointer, before, after). */
export function changedParts(before, changes, below = "") {
  return Object.entries(changes).flatMap(([name, after]) => {
    const was = before?.[name];
    const isPart = after && typeof after === "object" && !Array.isArray(after) && !(was && typeof was === "object" && was.op);
    return isPart ? changedParts(was, after, `${below}/${name}`) : [[`${below}/${name}`, was, after]];
  });
}

/** What a correction or restatement changes, each part as before → after. `quantities` are words that were read. */
export function changed(page, parts, below, quantities) {
  const isAmount = (was, words) => (was && typeof was === "object" && was.op) || quantities.has(words);
  return page.make("ul", { className: "differences" }, ...parts.map(([pointer, was, after]) => page.make("li", {},
    page.make("b", { textContent: `${label(below + pointer)}: ` }), page.make("span", { className: "was num", textContent: told(was) }), " → ",
    page.make("span", { className: "num", textContent: isAmount(was, after) && typeof after === "string" ? quantities.get(after) ?? after : told(after) }))));
}

