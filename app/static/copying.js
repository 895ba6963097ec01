// A block of text with a button that copies it.

import { make } from "./element.js";

let count = 0;

/** `what` names the text for those who hear the page. */
export function copyable(text, what) {
  const id = `text-${++count}`;
  const said = make("span", { class: "hidden", role: "status" });
  const button = make("button", {
    type: "button", class: "quiet small", "aria-label": `Copy ${what}`,
    onclick: async () => {
      await copied(text, block);
      button.textContent = said.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    },
  }, "Copy");
  const block = make("pre", { id, tabindex: "0", "aria-label": what }, text);
  return make("div", { class: "copyable" }, block, button, said);
}

/** The clipboard is for secure pages alone; elsewhere the text is left selected. */
async function copied(text, block) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    getSelection().selectAllChildren(block);
    document.execCommand("copy");
  }
}
