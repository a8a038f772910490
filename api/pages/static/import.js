/* The page of imports: a file is checked whole on the server, then recorded batch by batch with the key in hand. */

let page = null;
let checked = null;
let done = 0;
let sending = null;

const $ = (selector, root = document) => root.querySelector(selector);
const result = () => $("[data-import-result]");
const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

function complain(text) { $("[data-import-error]").textContent = text; }

async function ask(url, body, headers, signal) {
  try {
    const answer = await fetch(url, { method: "POST", body, signal, headers: { Accept: "application/json", Authorization: `Bearer ${page.key()}`, ...headers } });
    if (answer.status === 401) page.forget();
    return { ok: answer.ok, status: answer.status, said: await answer.json() };
  } catch (error) {
    return { ok: false, status: 0, stopped: error.name === "AbortError", said: { detail: "The server does not answer." } };
  }
}

/** Send the file, with a map of the user's own before it, and return the answer; null after a complaint. */
async function send(more = {}) {
  complain("");
  const file = $("#import-file").files[0];
  if (!page.key()) { complain("Give your key above first."); return null; }
  if (!file) { complain("Choose a file first."); $("#import-file").focus(); return null; }
  const query = new URLSearchParams({ name: file.name, ...more });
  const chosen = $("#import-map").value;
  const own = new Blob(chosen === "own" && !more.first_map ? [$("#import-own").value] : []);
  if (chosen && chosen !== "own") query.set("map", chosen);
  if (own.size) query.set("map_bytes", own.size);
  if ($("#import-day").value) query.set("released_on", $("#import-day").value);
  if ($("#import-restate").checked) query.set("restate", "true");
  const answer = await ask(page.at(`/import?${query}`), new Blob([own, file]), { "Content-Type": "application/octet-stream" });
  if (answer.ok) return answer.said;
  complain(answer.said.errors?.[0]?.message ?? answer.said.detail ?? "This was refused.");
  return null;
}

function list(title, rows, total) {
  const more = total > rows.length ? [page.make("li", { textContent: `… and ${total - rows.length} more` })] : [];
  const items = rows.map((row) => page.make("li", { textContent: row }));
  const box = page.make("ul", { className: "import-rows", tabIndex: 0 }, ...items, ...more);
  box.setAttribute("aria-label", title);
  return [page.make("h2", { textContent: title }), box];
}

function show() {
  const found = checked;
  const parts = [];
  if (found.problems_total) {
    const rows = found.problems.map(({ place, where, message }) => [place, where, message].filter(Boolean).join(": "));
    parts.push(...list(`${plural(found.problems_total, "problem")}, nothing can be recorded`, rows, found.problems_total));
  }
  const difference = found.difference;
  if (difference) {
    const rows = difference.rows.map(({ key, pledge, change, what }) => `${key} (${pledge}) ${change}${what ? `: ${what}` : ""}`);
    const sum = `${difference.new} new, ${difference.changed} changed, ${difference.by_hand} to be changed by hand, ${difference.vanished} vanished, ${difference.unchanged} as before`;
    parts.push(page.make("p", { textContent: `The release against the ones before: ${sum}.` }));
    if (rows.length) parts.push(...list("What differs", rows, difference.rows_total));
  }
  if (found.remarks_total) parts.push(...list("Read otherwise than it stands there", found.remarks, found.remarks_total));
  if (found.left_out_total) parts.push(page.make("p", { textContent: `${plural(found.left_out_total, "row")} became no fact, as the map has it.` }));
  if (found.recorded) parts.push(page.make("p", { textContent: `${plural(found.recorded, "fact")} recorded already.` }));
  if (found.facts) {
    const bar = page.make("progress", { max: found.facts, value: 0 });
    bar.setAttribute("aria-label", "Facts recorded");
    const record = page.make("button", { type: "button", className: "primary", textContent: `Record ${plural(found.facts, "fact")}` });
    const cancel = page.make("button", { type: "button", textContent: "Stop", hidden: true });
    const state = page.make("p", { className: "hint", textContent: "They are recorded for ever. A mistake is repaired by another fact." });
    record.addEventListener("click", () => recordAll(bar, record, cancel, state));
    cancel.addEventListener("click", () => sending?.abort());
    parts.push(page.make("p", { className: "actions" }, record, " ", cancel), bar, state);
  } else if (!found.problems_total) parts.push(page.make("p", { className: "notice", textContent: "Nothing is left to record." }));
  result().replaceChildren(page.make("div", { className: "panel" }, ...parts));
}

/** Record the batches that are left. A batch that was sent twice is recorded once, by its key. */
async function recordAll(bar, record, cancel, state) {
  sending = new AbortController();
  record.disabled = true;
  cancel.hidden = false;
  let said = "";
  while (done < checked.batches.length && !said) {
    const { key, lines } = checked.batches[done];
    const answer = await ask(page.at("/v1/events"), lines, { "Content-Type": "application/x-ndjson", "Idempotency-Key": key }, sending.signal);
    if (answer.ok) {
      done += 1;
      bar.value = checked.batches.slice(0, done).reduce((sum, { facts }) => sum + facts, 0);
      state.textContent = `${bar.value} of ${plural(checked.facts, "fact")} recorded.`;
    } else said = answer.stopped ? "Stopped." : answer.said.errors?.[0]?.message ?? answer.said.detail;
  }
  cancel.hidden = true;
  sending = null;
  if (said) {
    record.disabled = false;
    record.textContent = "Go on";
    record.focus();
    state.textContent = `${said} ${bar.value} of ${plural(checked.facts, "fact")} recorded; “Go on” records the rest.`;
  } else {
    record.remove();
    state.textContent = `${plural(checked.facts, "fact")} recorded.`;
  }
  page.say(state.textContent);
}

async function check(event) {
  event.preventDefault();
  const button = $("[type=submit]", event.target);
  button.disabled = true;
  result().replaceChildren(page.make("p", { className: "hint", textContent: "The file is being checked…" }));
  const found = await send();
  button.disabled = false;
  result().replaceChildren();
  if (!found) return;
  checked = found;
  done = 0;
  show();
}

async function firstMap() {
  const found = await send({ first_map: "true" });
  if (!found) return;
  $("#import-own").value = found.map;
  page.say("A first map is there. Look at everything that is marked as a guess.");
}

function dropped(event) {
  event.preventDefault();
  delete $("[data-drop]").dataset.over;
  if (event.dataTransfer.files.length) $("#import-file").files = event.dataTransfer.files;
}

export function enhance(given) {
  page = given;
  const drop = $("[data-drop]");
  if (drop.dataset.ready) return;
  checked = null;
  drop.dataset.ready = "yes";
  $("[data-import-form]").addEventListener("submit", check);
  $("[data-first-map]").addEventListener("click", firstMap);
  $("#import-map").addEventListener("change", (event) => { $("[data-own-map]").hidden = event.target.value !== "own"; });
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.dataset.over = "yes"; });
  drop.addEventListener("dragleave", () => { delete drop.dataset.over; });
  drop.addEventListener("drop", dropped);
}
