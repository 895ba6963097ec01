// The page that trains: the list of jobs, one of them, or a form for a new one.

import { get, make } from "./element.js";
import { JobForm } from "./job_form.js";
import { showJobs } from "./job_list.js";
import { JobPage } from "./job_page.js";

const place = get("place");
let leave = () => {};

function say(text) {
  get("status").textContent = text;
}

function failed(error) {
  if (error.status === 404 && location.hash.length < 2) return place.replaceChildren(disabled());
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
  get("trouble").replaceChildren();
  say("");
  document.title = "Jobs · Sentiscope";
  if (target === "") leave = showJobs(place, { failed });
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
    if (error.status === 404) place.replaceChildren(disabled());
    else failed(error);
  }
}

addEventListener("hashchange", show);
show();
