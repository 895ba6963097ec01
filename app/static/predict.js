// The page that tells what pictures make people feel.

import { curlCall, pythonCall } from "./call.js";
import { Card } from "./card.js";
import { models, served, versions } from "./catalogue.js";
import { copyable } from "./copying.js";
import { get, make } from "./element.js";
import { intake } from "./intake.js";

const asked = new URLSearchParams(location.search);
const cards = [];

function say(text) {
  get("status").textContent = text;
}

const references = () => [get("model").value, get("compare").value].filter(Boolean);

function take(photos) {
  if (!references().length) return say("There is no model that could answer.");
  const fresh = photos.map((photo) => new Card(photo, { removed, said: say }));
  cards.unshift(...fresh);
  get("cards").prepend(...fresh.map((card) => card.element));
  say(photos.length > 1 ? `Looking at ${photos.length} pictures …` : `Looking at ${photos[0].name} …`);
  for (const card of fresh) card.ask(references());
  dress();
  fresh[0].element.scrollIntoView({ block: "nearest" });
}

function removed(card) {
  URL.revokeObjectURL(card.photo.address);
  cards.splice(cards.indexOf(card), 1);
  card.element.remove();
  say(`${card.photo.name} was removed.`);
  dress();
  (cards[0]?.element.querySelector("header button") ?? get("file")).focus();
}

/** Of several pictures, one call for all of them. */
function dress() {
  get("intro").classList.toggle("started", cards.length > 0);
  get("all").hidden = cards.length < 2;
  if (cards.length < 2) return;
  const photos = cards.map((card) => card.photo);
  const query = { model: get("model").value, explain: "heatmap" };
  get("all-calls").replaceChildren(
    make("h3", {}, "Shell"), copyable(curlCall(photos, query), "the curl call for all pictures"),
    make("h3", {}, "Python"), copyable(pythonCall(photos, query), "the Python call for all pictures"));
}

function again() {
  for (const card of cards) card.ask(references());
  dress();
}

function option({ reference, name, version, aliases }) {
  const also = aliases.length ? `, ${aliases.join(", ")}` : "";
  return make("option", { value: reference }, `${name} ${version}${also}`);
}

async function fill() {
  try {
    const [items, usual] = await Promise.all([models(), served()]);
    const known = versions(items);
    get("model").replaceChildren(...known.map(option));
    get("compare").replaceChildren(make("option", { value: "" }, "nothing"), ...known.map(option));
    get("model").value = asked.get("model") ?? usual ?? known[0]?.reference ?? "";
    get("compare").value = asked.get("compare") ?? "";
    say(known.length ? "Nothing leaves this service: pictures go to it alone, and it keeps none."
      : "There is no model yet: train one on the page Jobs.");
  } catch (error) {
    say(error.message);
  }
}

get("model").addEventListener("change", again);
get("compare").addEventListener("change", again);
await fill();
intake(take);
