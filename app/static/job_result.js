// What a job ended with: its model, to be looked at and promoted, or why it failed.

import { make } from "./element.js";
import { figure } from "./numbers.js";
import { send } from "./service.js";

export function resultOf(job) {
  if (job.error) {
    return make("div", { class: "wrong" }, make("strong", {}, job.error.type), make("p", {}, job.error.message));
  }
  if (!job.result) return null;
  const { model, version, reason, summary } = job.result;
  return make("section", { class: "panel" }, make("h2", {}, "Result"),
    model && madeModel(job.result), reason && make("p", { class: "note" }, reason), scores(summary));
}

function madeModel({ model, version, promoted }) {
  const reference = `${model}@${version}`;
  const said = make("span", { class: "note", role: "status" }, promoted ? "It is in production." : "");
  const promote = make("button", {
    type: "button", class: "small", hidden: promoted === true,
    onclick: async () => {
      try {
        await send("PUT", `v1/models/${encodeURIComponent(model)}/aliases/production`, { version });
        said.textContent = "It is in production now.";
        promote.hidden = true;
      } catch (error) {
        said.textContent = error.message;
      }
    },
  }, "Promote to production");
  return make("p", { class: "row" }, make("strong", {}, `Model ${model}, version ${version}`),
    make("a", { href: `models#${reference}` }, "Look at it"),
    make("a", { href: `./?model=${encodeURIComponent(reference)}` }, "Try it"), promote, said);
}

function scores(summary) {
  const rows = (summary?.evaluations ?? []).flatMap(({ output, dataset, metrics }) =>
    Object.entries(metrics).map(([name, value]) => [output, name, dataset, value]));
  return rows.length > 0 && make("div", { class: "scroll", tabindex: "0" }, make("table", {},
    make("thead", {}, make("tr", {}, ["Output", "Metric", "Data", "Value"].map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, rows.map(([output, name, dataset, value]) => make("tr", {},
      make("td", {}, output), make("td", {}, name), make("td", {}, dataset), make("td", {}, figure(value)))))));
}
