/* The page of imports: a file is checked whole on the server, then recorded batch by batch, or proposed fact by fact,
   with the key in hand. */

let page = null;
let checked = null;
let checking = null;
let work = null;

const $ = (selector, root = document) => root.querySelector(selector);
const result = () => $("[data-import-result]");
const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
const MAX_WAITS = 30;

function complain(text) { $("[data-import-error]").textContent = text; }

const sentence = (said) => said.errors?.[0]?.message ?? said.detail ?? "This was refused.";
const pause = (seconds, signal) => new Promise((done) => {
  const timer = setTimeout(done, 1000 * seconds);
  signal.addEventListener("abort", () => { clearTimeout(timer); done(); }, { once: true });
});

async function post(url, body, headers, signal) {
  const answer = await fetch(page.at(url), { method: "POST", body, signal, headers: { Accept: "application/json", Authorization: `Bearer ${page.key()}`, ...headers } });
  if (answer.status === 401) page.forget();
  return answer;
}

/** Send one request, again where the server asks for patience; what came of it. */
async function ask(url, body, headers, signal) {
  try {
    for (let wait = 0; ; wait += 1) {
      const answer = await post(url, body, headers, signal);
      const after = Number(answer.headers.get("Retry-After"));
      const said = await answer.json();
      if (![429, 503].includes(answer.status) || !(after > 0) || wait === MAX_WAITS) return { ok: answer.ok, status: answer.status, said };
      await pause(after, signal);
    }
  } catch (error) {
    return { ok: false, status: 0, stopped: error.name === "AbortError", said: { detail: "The server does not answer." } };
  }
}

/** The lines of an answer, one after the other. */
async function* linesOf(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const parts = value.split("\n");
    while (parts.length > 1) {
      yield [...rest, parts.shift()].join("");
      rest = [];
    }
    rest.push(parts[0]);
  }
  if (rest.join("")) yield rest.join("");
}

/** Send the file, with a map of the user's own before it; what was found, with its batches. Null after a complaint. */
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
  for (const [name, field] of [["sheet", "#import-sheet"], ["encoding", "#import-encoding"], ["released_on", "#import-day"], ["ignore", "#import-ignore"]]) {
    if ($(field).value.trim()) query.set(name, $(field).value.trim());
  }
  if ($("#import-restate").checked) query.set("restate", "true");
  checking = new AbortController();
  try {
    const answer = await post(`/import?${query}`, new Blob([own, file]), { "Content-Type": "application/octet-stream" }, checking.signal);
    if (!answer.ok) { complain(sentence(await answer.json())); return null; }
    let found = null;
    for await (const line of linesOf(answer)) {
      const said = JSON.parse(line);
      if (found === null) found = { ...said, batches: [] };
      else found.batches.push({ key: said.key, rows: said.rows, lines: new Blob([said.lines]) });
    }
    return found;
  } catch (error) {
    complain(error.name === "AbortError" ? "The check was stopped." : "The server does not answer.");
    return null;
  } finally {
    checking = null;
  }
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
  if (found.facts) parts.push(...tasks());
  else if (!found.problems_total) parts.push(page.make("p", { className: "notice", textContent: "Nothing is left to record." }));
  result().replaceChildren(page.make("div", { className: "panel" }, ...parts));
}

/** The buttons that record or propose what was found, and how far they are. */
function tasks() {
  const bar = page.make("progress", { max: checked.facts, value: 0 });
  bar.setAttribute("aria-label", "Facts done");
  const start = {
    record: page.make("button", { type: "button", className: "primary", textContent: `Record ${plural(checked.facts, "fact")}` }),
    propose: page.make("button", { type: "button", textContent: `Propose ${plural(checked.facts, "fact")}` }),
  };
  const stop = page.make("button", { type: "button", textContent: "Stop", hidden: true });
  const state = page.make("p", { className: "hint", textContent: "What is recorded is there for ever; a mistake is repaired by another fact. What is proposed waits for a monitor." });
  const refused = page.make("ul", { className: "import-rows", hidden: true, tabIndex: 0 });
  refused.setAttribute("aria-label", "Facts that cannot be proposed");
  work = { batch: 0, row: 0, done: 0, refused: 0 };
  start.record.addEventListener("click", () => run(recordNext, "recorded", start.record));
  start.propose.addEventListener("click", () => run(proposeNext, "proposed", start.propose));
  stop.addEventListener("click", () => work.sending?.abort());
  Object.assign(work, { bar, start, stop, state, list: refused });
  return [page.make("p", { className: "actions" }, start.record, " ", start.propose, " ", stop), bar, state, refused];
}

/** Record the next batch. One that was sent twice is recorded once, by its key. */
async function recordNext(signal) {
  const { key, rows, lines } = checked.batches[work.batch];
  const answer = await ask("/v1/events", lines, { "Content-Type": "application/x-ndjson", "Idempotency-Key": key }, signal);
  if (answer.ok) Object.assign(work, { batch: work.batch + 1, done: work.done + rows.length });
  return answer;
}

/** Propose the next fact. One that was sent twice is one proposal, by its key; one that is refused is told and left. */
async function proposeNext(signal) {
  const { rows, lines } = checked.batches[work.batch];
  if (work.row === 0) work.lines = (await lines.text()).split("\n");
  const [place, hash] = rows[work.row];
  const { pledge, fact } = JSON.parse(work.lines[work.row]);
  const body = JSON.stringify({ pledge, fact, note: `From ${checked.name}, ${place}` });
  const answer = await ask("/v1/proposals", body, { "Content-Type": "application/json", "Idempotency-Key": `import-${hash}` }, signal);
  const isOfFact = [404, 409, 422].includes(answer.status);
  if (!answer.ok && !isOfFact) return answer;
  if (isOfFact) {
    work.refused += 1;
    work.list.hidden = false;
    if (work.refused <= 200) work.list.append(page.make("li", { textContent: `${place}: ${answer.status === 404 ? "its pledge is not recorded yet; propose it again when it is" : sentence(answer.said)}` }));
  }
  Object.assign(work, { row: work.row + 1, done: work.done + 1 });
  if (work.row === rows.length) Object.assign(work, { batch: work.batch + 1, row: 0 });
  return { ok: true };
}

/** Go on with what is left, step by step, until it is done, refused or stopped. */
async function run(step, word, button) {
  work.sending = new AbortController();
  for (const other of Object.values(work.start)) other.disabled = true;
  work.stop.hidden = false;
  work.stop.focus();
  let said = "";
  const told = () => `${work.done - work.refused} of ${plural(checked.facts, "fact")} ${word}${work.refused ? `, ${work.refused} cannot be` : ""}`;
  while (work.batch < checked.batches.length && !said) {
    const answer = work.sending.signal.aborted ? { stopped: true } : await step(work.sending.signal);
    work.bar.value = work.done;
    if (answer.ok) work.state.textContent = `${told()}.`;
    else said = answer.stopped ? "Stopped." : sentence(answer.said);
  }
  work.stop.hidden = true;
  if (said) {
    button.disabled = false;
    if (work.done === 0) for (const other of Object.values(work.start)) other.disabled = false;
    else button.textContent = "Go on";
    button.focus();
    work.state.textContent = `${said} ${told()}; “${button.textContent}” does the rest.`;
  } else {
    for (const other of Object.values(work.start)) other.remove();
    work.state.textContent = `${told()}.`;
  }
  page.say(work.state.textContent);
}

async function check(event) {
  event.preventDefault();
  const button = $("[type=submit]", event.target);
  button.disabled = true;
  const stop = page.make("button", { type: "button", textContent: "Stop the check" });
  stop.addEventListener("click", () => checking?.abort());
  result().replaceChildren(page.make("p", { className: "hint" }, "The file is being checked… ", stop));
  const name = $("#import-file").files[0]?.name;
  const found = await send();
  button.disabled = false;
  result().replaceChildren();
  if (!found) return;
  checked = { ...found, name };
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
  $("[data-import-form] [type=submit]").disabled = false; // from here on it is this module that sends the file
}
