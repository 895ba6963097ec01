// The page of models: versions, metrics side by side, aliases, lineage and card.

import { aliasControls } from "./aliases.js";
import { manifest, models } from "./catalogue.js";
import { get, make } from "./element.js";
import { graphOf } from "./graph.js";
import { lineageOf } from "./lineage.js";
import { markdown } from "./markdown.js";
import { metricsTable } from "./metrics_table.js";
import { clock, size } from "./numbers.js";
import { ask } from "./service.js";

let items = [];

function say(text) {
  get("status").textContent = text;
}

const wrong = (error) => make("div", { class: "wrong", role: "alert" },
  make("strong", {}, error.title ?? "Something went wrong"), make("p", {}, error.message));

function fail(error) {
  get("place").replaceChildren(wrong(error));
}

/** `#name` or `#name@version`; the first model, and what is in production, where nothing is said. */
function target() {
  const [name, version] = decodeURIComponent(location.hash.slice(1)).split("@");
  const model = items.find((each) => each.name === name) ?? items.find(({ name: each }) => each === "default") ?? items[0];
  const usual = model?.aliases.production ?? model?.versions.at(-1);
  return { model, version: model?.versions.includes(version) ? version : usual };
}

async function show() {
  const { model, version } = target();
  get("models").replaceChildren(...items.map(({ name }) => make("li", {},
    make("a", { href: `#${name}`, "aria-current": name === model.name ? "true" : null }, name))));
  if (!model) return get("place").replaceChildren(make("p", { class: "panel" }, "There is no model yet: train one on the page Jobs."));
  if (model.fault) return fail(new Error(model.fault));
  try {
    const told = await Promise.all(model.versions.map((each) =>
      manifest(model.name, each).catch((fault) => ({ version: each, fault }))));
    const whole = told.filter(({ fault }) => !fault);
    const chosen = told[model.versions.indexOf(version)];
    document.title = `${model.name}, version ${version} · Sentiscope`;
    get("place").replaceChildren(versionsOf(model, told, version), aliasesOf(model),
      chosen.fault ? wrong(chosen.fault)
        : panel(`Where version ${version} comes from`, graphOf(lineageOf(chosen), "Lineage"), origins(chosen)),
      panel("Metrics side by side", ...metricsOf(whole.toReversed())),
      chosen.fault ? "" : await cardOf(model.name, version));
  } catch (error) {
    fail(error);
  }
}

const panel = (title, ...content) => make("section", { class: "panel" }, make("h2", {}, title), ...content);

function versionsOf(model, told, shown) {
  const current = model.aliases.production;
  return panel(`Versions of ${model.name}`, make("ul", { class: "versions" },
    told.toReversed().map((each) => make("li", { class: each.version === shown ? "version shown" : "version" },
      make("a", { href: `#${model.name}@${each.version}`, "aria-current": each.version === shown ? "true" : null },
        `Version ${each.version}`),
      make("span", {}, Object.keys(model.aliases).filter((alias) => model.aliases[alias] === each.version)
        .map((alias) => make("span", { class: "tag" }, alias))),
      make("span", { class: "note" }, each.fault?.message ?? about(each)),
      !each.fault && make("span", { class: "row" },
        make("a", { href: `./?model=${model.name}@${each.version}` }, "Try it"),
        current && current !== each.version
          && make("a", { href: `./?model=${model.name}@${current}&compare=${model.name}@${each.version}` }, "Compare with production"))))));
}

function about({ created_at: made, graphs, lineage, outputs, gates }) {
  const passed = gates.filter((gate) => gate.passed).length;
  const parts = [clock(made), lineage.backbone, graphs.map(({ precision, size: bytes }) => `${precision} ${size(bytes)}`).join(", "),
    outputs.map(({ kind }) => kind).join(", "), gates.length > 0 && `${passed} of ${gates.length} gates passed`];
  return parts.filter(Boolean).join(" · ");
}

function aliasesOf(model) {
  return panel("Aliases", make("p", { class: "note" }, "A bare name means production. A move counts for every request from then on; none in flight is lost."),
    aliasControls(model, { said: say, moved: () => start() }));
}

function metricsOf(manifests) {
  const has = manifests.some(({ evaluations }) => evaluations.some(({ precision }) => precision !== "fp32"));
  return [metricsTable(manifests, "fp32"),
    has && make("details", {}, make("summary", {}, "Of the INT8 graphs"), metricsTable(manifests, "int8"))];
}

function origins({ lineage, digest }) {
  const terms = lineage.datasets.filter((set) => set.terms);
  return make("details", {}, make("summary", {}, "Digests, code and terms"), make("dl", {},
    make("dt", {}, "Bundle"), make("dd", {}, digest), make("dt", {}, "Weights"), make("dd", {}, `sha256:${lineage.weights_sha256}`),
    make("dt", {}, "Code"), make("dd", {}, lineage.code_version),
    terms.map(({ name, terms: said }) => [make("dt", {}, `Terms of ${name}`), make("dd", {}, said)])));
}

async function cardOf(name, version) {
  const text = await (await ask(`v1/models/${name}/versions/${version}/card`)).text();
  return panel("Card", make("div", { class: "card" }, markdown(text)));
}

async function start() {
  try {
    items = await models();
    await show();
  } catch (error) {
    fail(error);
  }
}

addEventListener("hashchange", () => location.hash !== "#main" && show());
start();
