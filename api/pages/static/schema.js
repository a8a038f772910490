// The API's documentation, drawn from /schema/openapi.json. Nothing is loaded from anywhere else.
const base = document.body.dataset.base;
const place = () => document.querySelector("[data-api]");

const make = (tag, props = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), props);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
};

/** Text whose backquotes mark code. */
const prose = (text) => text.split(/`{1,2}([^`]+)`{1,2}/).map((part, at) => (at % 2 ? make("code", { textContent: part }) : part));

const typeOf = (schema) => {
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  const bounds = ["minimum", "maximum", "default"].filter((name) => name in schema).map((name) => `${name} ${schema[name]}`);
  return [schema.format ?? schema.type ?? "any", ...bounds].join(", ");
};

const field = (parameter) => {
  const { schema } = parameter;
  const name = `${parameter.in}:${parameter.name}`;
  const input = schema.enum
    ? make("select", { name }, make("option", { value: "" }), ...schema.enum.map((value) => make("option", { value, textContent: value })))
    : make("input", { name, required: parameter.required ?? false, placeholder: schema.examples?.[0] ?? "" });
  const about = parameter.description ? make("span", {}, ...prose(parameter.description), ` (${typeOf(schema)})`) : make("span", { textContent: typeOf(schema) });
  return make("label", {}, make("b", { textContent: parameter.name + (parameter.in === "header" ? " (header)" : "") }), input, about);
};

const send = async (form, path, method, output) => {
  const headers = {};
  const query = new URLSearchParams();
  let address = path;
  let body;
  for (const [name, value] of new FormData(form)) {
    if (value === "") continue;
    const [where, key] = name.split(/:(.*)/s);
    if (where === "path") address = address.replace(`{${key}}`, encodeURIComponent(value));
    else if (where === "query") query.set(key, value);
    else if (where === "header") headers[key] = value;
    else if (where === "type") headers["Content-Type"] = value;
    else if (where === "body") body = value;
  }
  const key = document.getElementById("key").value;
  if (key) headers.Authorization = `Bearer ${key}`;
  const target = base + (query.size ? `${address}?${query}` : address);
  output.textContent = "…";
  output.sent?.abort();
  output.sent = new AbortController();
  const { signal } = output.sent;
  try {
    const answer = await fetch(target, { method, headers, body, cache: "no-store", signal });
    const said = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    const head = `${method} ${target}\n\n${answer.status} ${answer.statusText}\n${said}\n\n`;
    if (answer.headers.get("Content-Type")?.startsWith("text/event-stream")) {
      output.textContent = head;
      await listen(answer, output);
      return;
    }
    const text = await answer.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it is */ }
    output.textContent = head + shown;
  } catch (error) {
    if (!signal.aborted) output.textContent = String(error);
  }
};

const MOST = 200_000;

/** A stream has no end: it is shown as it comes, until another call is sent, it is folded, or enough was seen. */
const listen = async (answer, output) => {
  const pieces = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let piece; output.textContent.length < MOST && !(piece = await pieces.read()).done; ) output.append(piece.value);
  output.sent.abort();
};

const operation = (path, method, described) => {
  const output = make("pre", { tabIndex: 0, ariaLive: "polite", hidden: true });
  const types = Object.keys(described.requestBody?.content ?? {});
  const form = make("form", {}, ...described.parameters.map(field));
  if (types.length) {
    const content = described.requestBody.content;
    form.append(
      make("label", {}, make("b", { textContent: "Content-Type" }), make("select", { name: "type:" }, ...types.map((value) => make("option", { value, textContent: value })))),
      make("label", {}, make("b", { textContent: `Body: ${typeOf(content[types[0]].schema)}` }), make("textarea", { name: "body:", spellcheck: false })),
    );
  }
  form.append(make("button", { textContent: "Send" }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    output.hidden = false;
    send(form, path, method.toUpperCase(), output);
  });
  const answers = Object.entries(described.responses).map(([status, answer]) => make("li", {}, make("b", { textContent: `${status} ` }), ...prose(answer.description)));
  const folded = make("details", { id: described.operationId },
    make("summary", {}, make("span", { className: "method", textContent: method.toUpperCase() }), make("code", { textContent: path }), " ", ...prose(described.summary)),
    make("p", { className: "about" }, ...prose(described.description)),
    form, output, make("h3", { textContent: "Answers" }), make("ul", {}, ...answers));
  folded.addEventListener("toggle", () => { if (!folded.open) output.sent?.abort(); });
  return folded;
};

const draw = (api) => {
  const main = place();
  main.replaceChildren(...api.info.description.split("\n\n").map((text) => make("p", {}, ...prose(text))));
  for (const { name } of api.tags) {
    const found = Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.entries(methods).filter(([, described]) => described.tags.includes(name)).map(([method, described]) => operation(path, method, described)));
    main.append(make("section", {}, make("h2", { textContent: name }), ...found));
  }
  const schemas = Object.entries(api.components.schemas).map(([name, schema]) =>
    make("details", { id: `schema-${name}` }, make("summary", {}, make("code", { textContent: name }), " ", ...prose(schema.description ?? "")), make("pre", { tabIndex: 0, textContent: JSON.stringify(schema, null, 2) })));
  main.append(make("section", {}, make("h2", { textContent: "Shapes" }), ...schemas));
};

fetch(`${base}/schema/openapi.json`).then((answer) => answer.json()).then(draw, (error) => {
  place().textContent = `The description could not be loaded: ${error}`;
});
