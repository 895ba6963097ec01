// The metrics of several versions side by side; the best of each row is marked where they compare.

import { make } from "./element.js";
import { figure } from "./numbers.js";

const LOWER_IS_BETTER = new Set(["chebyshev", "clark_raw", "clark_normalized", "canberra_raw",
  "canberra_normalized", "kl", "ranking_loss", "one_error", "coverage", "hamming_loss"]);

const OF_LABEL_SETS = /^set_/; // coverage and size are a bargain: neither is better by itself

/** A table of `manifests`, one column each, of their graphs of one precision. */
export function metricsTable(manifests, wanted) {
  const rows = rowsOf(manifests, wanted);
  if (!rows.length) return make("p", { class: "note" }, "No version tells its metrics.");
  return make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": `Metrics by version, ${wanted}` },
    make("table", { class: "metrics" },
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Output"), make("th", { scope: "col" }, "Metric"),
        make("th", { scope: "col" }, "Measured on"),
        manifests.map(({ version }) => make("th", { scope: "col" }, `Version ${version}`)))),
      make("tbody", {}, rows.map(rowElement))));
}

/** Metrics compare by the same protocol alone, so each protocol has rows of its own. */
function rowsOf(manifests, wanted) {
  const rows = new Map();
  manifests.forEach(({ evaluations }, column) => {
    for (const { output, dataset, split, protocol, images, precision, metrics } of evaluations) {
      for (const [metric, value] of Object.entries(precision === wanted ? metrics : {})) {
        const key = JSON.stringify([output, metric, protocol]);
        const row = rows.get(key) ?? {
          output, metric, protocol, on: `${dataset}, ${split} (${images})`,
          values: manifests.map(() => null),
        };
        row.values[column] = value;
        rows.set(key, row);
      }
    }
  });
  return [...rows.values()];
}

function rowElement({ output, metric, on, protocol, values }) {
  const known = values.filter((value) => value !== null);
  const best = LOWER_IS_BETTER.has(metric) ? Math.min(...known) : Math.max(...known);
  const isContest = !OF_LABEL_SETS.test(metric) && known.length > 1 && new Set(known).size > 1;
  const arrow = LOWER_IS_BETTER.has(metric) ? "↓" : "↑";
  return make("tr", {}, make("td", {}, output),
    make("th", { scope: "row" }, metric, " ", !OF_LABEL_SETS.test(metric)
      && make("span", { title: arrow === "↓" ? "lower is better" : "higher is better" }, arrow)),
    make("td", { class: "note", title: protocol }, on),
    values.map((value) => make("td", { class: isContest && value === best ? "best" : "" },
      figure(value), isContest && value === best && make("span", { class: "hidden" }, ", the best"))));
}
