// The API key: asked for where the service demands one, kept until the tab is closed.

import { make } from "./element.js";

const PLACE = "sentiscope-key";
let asking = null; // many requests may be refused at once, one question is enough

export const hasKey = () => sessionStorage.getItem(PLACE) !== null;

export function keyHeaders() {
  const key = sessionStorage.getItem(PLACE);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** Ask for a key; whether one was given. `why` is what the service said. */
export function askForKey(why) {
  asking ??= question(why).finally(() => (asking = null));
  return asking;
}

/** Where a key is in use, a button changes it. */
function showKeyButton() {
  if (!hasKey() || document.querySelector("#change-key")) return;
  document.querySelector(".top nav").append(make("button", {
    id: "change-key", type: "button", class: "quiet small",
    onclick: async () => (await askForKey("Another key replaces the one in use.")) && location.reload(),
  }, "API key"));
}

showKeyButton();

function question(why) {
  const input = make("input", {
    id: "api-key", type: "password", autocomplete: "off", required: true, spellcheck: "false",
    pattern: "\\s*[!-~]+\\s*", title: "Letters, digits and signs of ASCII, without spaces", // what a header takes
  });
  const form = make("form", { method: "dialog", class: "stack" },
    make("h2", { id: "key-title" }, "This service asks for an API key"),
    make("p", { class: "note" }, why),
    make("label", { for: "api-key" }, "API key"), input,
    make("p", { class: "note" }, "Kept in this tab alone, until it is closed. ",
      make("code", {}, "sentiscope keys create"), " makes one."),
    make("p", { class: "row end" },
      make("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Not now"),
      make("button", { value: "use" }, "Use this key")));
  const dialog = make("dialog", { "aria-labelledby": "key-title" }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const given = dialog.returnValue === "use" && input.value.trim();
      if (given) sessionStorage.setItem(PLACE, given);
      dialog.remove();
      showKeyButton();
      resolve(Boolean(given));
    });
  });
}
