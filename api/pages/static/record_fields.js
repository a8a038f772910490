/* The fields of the form that records a fact: read into JSON and filled from it, with rows and members to tick. */

const $ = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

export const OPS = { eq: "", ge: "at least ", gt: "over ", le: "up to ", lt: "under ", approx: "about ", nearly: "nearly " };

/** A quantity as it was worded, or in words that say the same. */
export function inWords(quantity) {
  if (quantity.text) return quantity.text;
  if (quantity.op === "between") return `between ${quantity.value} and ${quantity.upper} ${quantity.unit}`;
  return `${OPS[quantity.op]}${quantity.value} ${quantity.unit}`;
}

/** What a field shows for a value of JSON. */
export function shown(value) {
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "object" && value !== null ? inWords(value) : String(value);
}

const codes = (text) => text.split(/[\s,;]+/).filter(Boolean);

/** The value of a field as JSON has it; undefined if it is blank. What was filled in and left alone is what it was. */
export function valueOf(field) {
  const text = field.value.trim();
  if (field.given?.text === text) return field.given.value;
  if (!text) return undefined;
  switch (field.dataset.as) {
    case "number": case "count": return /^\d{1,15}$/.test(text) ? Number(text) : text;
    case "list": return codes(text);
    case "yes": return text === "true";
    default: return text;
  }
}

function put(found, pointer, value) {
  const path = pointer.slice(1).split("/");
  const last = path.pop();
  let place = found;
  path.forEach((name, index) => {
    place = place[name] ??= /^\d+$/.test(path[index + 1] ?? last) ? [] : {};
  });
  place[last] = value;
}

export const at = (fact, pointer) => pointer.slice(1).split("/").reduce((place, name) => place?.[name], fact);

/** What the fields of a place say, as JSON; blank rows are left out. */
export function read(place) {
  number(place);
  const found = {};
  for (const field of all("[data-pointer]", place)) {
    const value = valueOf(field);
    if (value !== undefined) put(found, field.dataset.pointer, value);
  }
  for (const box of all("[data-none]:checked", place)) {
    if (at(found, box.dataset.none) === undefined) put(found, box.dataset.none, []);
  }
  return found;
}

/* --- rows */

let made = 0;

/** Give the rows that say something the numbers from 0 on, in their pointers; the blank ones come behind them. */
function number(place) {
  for (const box of all("[data-rows]", place)) {
    const rows = all("[data-row]", box);
    const isBlank = (row) => all("[data-pointer]", row).every((field) => valueOf(field) === undefined);
    const ordered = [...rows.filter((row) => !isBlank(row)), ...rows.filter(isBlank)];
    ordered.forEach((row, index) => {
      const renumbered = (pointer) => `${box.dataset.rows}/${index}${pointer.slice(box.dataset.rows.length).replace(/^\/[^/]+/, "")}`;
      for (const part of all("[data-pointer]", row)) part.dataset.pointer = renumbered(part.dataset.pointer);
      for (const part of all("[data-error]", row)) part.dataset.error = renumbered(part.dataset.error);
      for (const part of all("[data-parsed]", row)) part.dataset.parsed = renumbered(part.dataset.parsed);
    });
  }
}

export function addRow(box) {
  const row = $("template", box).content.firstElementChild.cloneNode(true);
  const own = (text) => text.replaceAll("#", `r${made}`);
  made += 1;
  for (const part of [row, ...all("*", row)]) {
    for (const name of ["id", "for", "aria-describedby", "data-pointer", "data-error", "data-parsed", "data-field"]) {
      if (part.hasAttribute(name)) part.setAttribute(name, own(part.getAttribute(name)));
    }
  }
  $(".row-buttons", box).before(row);
  return row;
}

/* --- filling in */

/** Open every fold that an element lies in. */
export function unfold(element) {
  for (let fold = element?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
}

/** Put a fact into the fields of a place, and remember what each was given; a field without a value stays as it is. */
export function fill(place, fact) {
  for (const box of all("[data-rows]", place)) {
    const wanted = at(fact, box.dataset.rows);
    if (!Array.isArray(wanted)) continue;
    for (const row of all("[data-row]", box)) row.remove();
    wanted.forEach((_, index) => {
      for (const part of all("[data-pointer], [data-error], [data-parsed]", addRow(box))) {
        for (const name of ["pointer", "error", "parsed"]) {
          if (part.dataset[name]) part.dataset[name] = part.dataset[name].replace(/\/r\d+(?=\/|$)/, `/${index}`);
        }
      }
    });
    if (wanted.length) unfold(box);
    else for (const none of all("[data-none]", box)) none.checked = true;
  }
  for (const field of all("[data-pointer]", place)) {
    const value = at(fact, field.dataset.pointer);
    if (value === undefined || value === null) continue;
    set(field, value);
    unfold(field);
  }
  for (const box of all("[data-tick]", place)) tickLike(box);
}

/** Put a value into a field, as if it had been there when the form opened. */
function set(field, value) {
  field.value = shown(value);
  field.given = { text: field.value.trim(), value };
}

/** Empty the fields of a place, and take its rows away. */
export function empty(place) {
  for (const row of all("[data-row]", place)) row.remove();
  for (const field of all("[data-pointer]", place)) { delete field.given; field.value = field.matches("select") ? defaultOf(field) : field.defaultValue; }
  for (const box of all("[data-none], [data-tick]", place)) box.checked = false;
}

const defaultOf = (select) => [...select.options].find((option) => option.defaultSelected)?.value ?? "";

/** Whether a field has what it began with, which nobody typed. */
export const isDefault = (field) => field.value !== "" && field.value === (field.matches("select") ? defaultOf(field) : field.defaultValue);

/* --- members to tick: a box shows whether its code is in the list, and puts it in or takes it out */

const listOf = (box) => all("[data-pointer]", box.form).find((field) => field.dataset.pointer === box.dataset.tick);

function tickLike(box) { box.checked = codes(listOf(box)?.value ?? "").includes(box.value); }

function write(pointer, form, change) {
  const field = all("[data-pointer]", form).find((one) => one.dataset.pointer === pointer);
  field.value = change(codes(field.value)).join(", ");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** A member is in one list at a time, but who opted out stays a member of the group. */
function ticked(box) {
  const { tick } = box.dataset;
  const without = (list) => list.filter((code) => code !== box.value);
  write(tick, box.form, (list) => (box.checked ? [...without(list), box.value] : without(list)));
  const row = box.closest("tr");
  for (const other of all("[data-tick]", row).filter((one) => one !== box)) {
    const excludes = !/\/(members|opted_out)$/.test(tick);
    if (box.checked && excludes && other.checked) write(other.dataset.tick, box.form, without);
    if (box.checked && tick.endsWith("/opted_out") && !other.checked) write(other.dataset.tick, box.form, (list) => [...list, box.value]);
    if (!box.checked && tick.endsWith("/members") && other.checked) write(other.dataset.tick, box.form, without);
  }
}

/** Follow rows and ticks of a form. `changed` is called after rows were taken away. */
export function follow(form, changed) {
  form.addEventListener("click", ({ target }) => {
    const button = target.closest?.("[data-add-row], [data-remove-row]");
    if (!button) return;
    const box = button.closest("[data-rows]");
    if (button.matches("[data-add-row]")) { $("[data-pointer]", addRow(box)).focus(); return; }
    button.closest("[data-row]").remove();
    $("[data-add-row]", box).focus();
    changed();
  });
  form.addEventListener("input", ({ target }) => {
    if (target.matches("[data-tick]")) ticked(target);
    else if (target.matches("[data-as=list]")) all("[data-tick]", form).filter((box) => box.dataset.tick === target.dataset.pointer).forEach(tickLike);
  });
}

/* --- corrections by example */

const isPlain = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function isSame(one, other) {
  if (Array.isArray(one) && Array.isArray(other)) return one.length === other.length && one.every((part, index) => isSame(part, other[index]));
  if (!isPlain(one) || !isPlain(other)) return one === other;
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every((name) => isSame(one[name], other[name]));
}

/** The merge patch (RFC 7386) that makes one value of JSON another; undefined if they are the same. */
export function patch(before, after) {
  if (isSame(before, after)) return undefined;
  if (!isPlain(before) || !isPlain(after)) return after;
  const found = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (!(name in after)) { found[name] = null; continue; }
    const part = name in before ? patch(before[name], after[name]) : after[name];
    if (part !== undefined) found[name] = part;
  }
  return Object.keys(found).length ? found : undefined;
}
