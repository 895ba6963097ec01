// All jobs, newest first, as they stand now.

import { keepingFocus, make } from "./element.js";
import { KINDS, STATUSES, pill, progressOf, titleOf } from "./job_status.js";
import { ago } from "./numbers.js";
import { every } from "./poll.js";
import { read } from "./service.js";

const POLL_S = 2;

/** Show the list in `place` until the function that is returned is called. */
export function showJobs(place, { failed }) {
  const table = make("div", { class: "jobs" });
  const status = filter("Status", STATUSES, () => refresh());
  const kind = filter("Kind", KINDS, () => refresh());
  const steps = make("input", { type: "checkbox", onchange: () => refresh() });
  const more = make("button", {
    type: "button", class: "quiet", hidden: true,
    onclick: () => { limit = Math.min(200, limit + 50); refresh(); },
  }, "Show more");
  let limit = 50;

  async function refresh() {
    const query = { limit, ...(status.value && { status: status.value }), ...(kind.value && { kind: kind.value }) };
    try {
      const page = await read("v1/jobs", query);
      if (!table.isConnected) return "done";
      failed(null);
      const areMeant = steps.checked || kind.value; // most of a kind are steps
      const items = areMeant ? page.items : page.items.filter(({ parent_id: parent }) => !parent);
      keepingFocus(table, () =>
        table.replaceChildren(items.length ? make("ul", { class: "rows" }, items.map(row)) : empty()));
      more.hidden = page.next_cursor === null || limit >= 200;
      return false;
    } catch (error) {
      if (table.isConnected) failed(error);
      return [401, 404].includes(error.status) ? "done" : false;
    }
  }

  place.replaceChildren(make("section", { class: "panel" },
    make("div", { class: "row spread" }, make("h2", {}, "Jobs"),
      make("a", { class: "button", href: "#new" }, "New job")),
    make("div", { class: "row filters" }, label("Status", status), label("Kind", kind),
      make("label", {}, steps, " Steps of pipelines too")),
    table, more));
  return every(POLL_S, refresh);
}

function row(job) {
  return make("li", {}, make("a", { class: "job", href: `#${job.id}` },
    make("span", { class: "job-title" }, make("strong", {}, titleOf(job)),
      make("span", { class: "note" }, `${job.kind} · ${ago(job.created_at)}`)),
    pill(job), progressOf(job)));
}

function empty() {
  return make("p", { class: "note empty" }, "No job here. ",
    make("a", { href: "#new" }, "Submit one"),
    ": the preset demo/pipeline trains a whole model on painted pictures within minutes.");
}

function filter(name, values, changed) {
  return make("select", { id: `filter-${name.toLowerCase()}`, onchange: changed },
    make("option", { value: "" }, "all"), values.map((value) => make("option", {}, value)));
}

const label = (text, control) => make("label", { for: control.id }, text, " ", control);

