// The playground: one image in, three outputs as bars, the evidence as a heatmap.

const TITLES = {
  single: ["One feeling", () => "Shares sum to 100 %."],
  multi: ["Any feelings", () => "Each holds from its mark on."],
  distribution: ["How viewers divide", (found) => `Entropy ${found.entropy.toFixed(2)} nats.`],
};

const get = (id) => document.getElementById(id);
let chosen = null; // the file on show
let turn = 0; // answers to older requests are dropped

function made(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

function say(text, className = "status") {
  get("status").className = className;
  get("status").textContent = text;
}

async function ask(file, options) {
  const query = new URLSearchParams({ explain: "heatmap", ...options });
  const response = await fetch(`v1/predictions?${query}`, {
    method: "POST",
    headers: { "Content-Type": "application/octet-stream" },
    body: file,
  });
  const document_ = await response.json();
  if (!response.ok) throw new Error(document_.detail);
  return document_;
}

function bar(kind, score, explained) {
  const row = made("button", "bar");
  row.type = "button";
  row.title = `Show the evidence for ${score.label}`;
  const track = made("span", "track");
  const fill = made("div", "fill");
  fill.style.width = `${100 * score.score}%`;
  track.append(fill);
  if ("threshold" in score) {
    const mark = made("span", "mark");
    mark.style.left = `${100 * score.threshold}%`;
    track.append(mark);
  }
  row.classList.toggle("strong", score.selected ?? false);
  row.classList.toggle("chosen", explained.output === kind && explained.label === score.label);
  row.append(made("span", "label", score.label), track);
  row.append(made("span", "number", `${(100 * score.score).toFixed(1)} %`));
  row.addEventListener("click", () =>
    show({ explain_output: kind, explain_label: score.label }));
  return row;
}

function output(kind, found, explained) {
  const [title, note] = TITLES[kind];
  const section = made("section", "output");
  section.append(made("h2", "", title), made("p", "", note(found)));
  const bars = found.scores.map((score) => bar(kind, score, explained));
  if (kind !== "multi") bars[0].classList.add("strong");
  section.append(...bars);
  return section;
}

function render({ model, predictions: [prediction] }) {
  const { explanation } = prediction;
  const kinds = Object.keys(TITLES).filter((kind) => kind in prediction);
  get("outputs").replaceChildren(
    ...kinds.map((kind) => output(kind, prediction[kind], explanation)));
  get("heat").src = `data:image/png;base64,${explanation.png_base64}`;
  get("explained").textContent = `${explanation.label} (${explanation.output})`;
  get("model").textContent = `Model ${model.name}, version ${model.version}.`;
  dress();
}

function dress() {
  const heat = get("show").checked && get("heat").hasAttribute("src");
  get("heat").hidden = !heat;
  get("photo").hidden = heat || !get("photo").hasAttribute("src");
  get("hint").hidden = chosen !== null;
}

async function show(options = {}) {
  const mine = ++turn;
  const began = performance.now();
  say("Looking …");
  try {
    const answer = await ask(chosen, options);
    if (mine !== turn) return;
    render(answer);
    say(`Answered in ${Math.round(performance.now() - began)} ms. Click a bar to see its evidence.`);
  } catch (error) {
    if (mine === turn) say(error.message, "status wrong");
  }
}

function choose(file) {
  if (!file) return;
  chosen = file;
  if (get("photo").src) URL.revokeObjectURL(get("photo").src);
  get("photo").src = URL.createObjectURL(file);
  get("heat").removeAttribute("src");
  get("outputs").replaceChildren();
  dress();
  show();
}

const drop = get("drop");
get("file").addEventListener("change", (event) => choose(event.target.files[0]));
get("show").addEventListener("change", dress);
document.addEventListener("paste", (event) => choose(event.clipboardData.files[0]));
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragover");
    if (name === "drop") choose(event.dataTransfer.files[0]);
  });
}
