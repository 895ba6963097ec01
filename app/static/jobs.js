// The page that trains: the list of jobs, one of them, or a form for a new one.

import { get, make } from "./element.js";
import { JobForm } from "./job_form.js";
import { showJobs } from "./job_list.js";
import { JobPage } from "./job_page.js";
import { read } from "./service.js";

const place = get("place");
const areEnabled = read("openapi.json").then(({ paths }) => "/v1/jobs" in paths);
let leave = () => {};

function say(text) {
  get("status").textContent = text;
}

let told = ""; // what is wrong is said once, however often it is found

/** Show what went wrong, or with null that all is well again. */
function failed(error) {
  if (told === (error?.message ?? "")) return;
  told = error?.message ?? "";
  if (!error) return get("trouble").replaceChildren();
  say("");
  get("trouble").replaceChildren(make("div", { class: "wrong", role: "alert" },
    make("strong", {}, error.title ?? "Something went wrong"), make("p", {}, error.message)));
}

function disabled() {
  return make("section", { class: "panel" }, make("h2", {}, "Jobs are not enabled here"),
    make("p", {}, "This service predicts only. ", make("code", {}, "make run"),
      " starts everything: a Redis that keeps jobs, a worker that does them."));
}

async function show() {
  if (location.hash === "#main" && place.hasChildNodes()) return; // the way around the navigation
  leave();
  leave = () => {};
  const target = location.hash.slice(1).replace(/^main$/, "");
  failed(null);
  say("");
  document.title = "Jobs · Sentiscope";
  if (!(await areEnabled)) place.replaceChildren(disabled());
  else if (target === "") leave = showJobs(place, { failed });
  else if (target === "new") await showForm();
  else {
    const page = new JobPage(target, { failed, say });
    place.replaceChildren(page.element);
    leave = page.follow();
  }
}

async function showForm() {
  try {
    const form = await new JobForm({ submitted: ({ id }) => (location.hash = id) }).open();
    place.replaceChildren(form.element);
    form.kind.control.focus();
  } catch (error) {
    failed(error);
  }
}

addEventListener("hashchange", () => show().catch(failed));
show().catch(failed);
