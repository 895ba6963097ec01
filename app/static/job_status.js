// The states of a job in colour and words, and what can be asked of it in each.

import { make } from "./element.js";
import { duration, percent } from "./numbers.js";

const TONES = {
  queued: "info", running: "info", pausing: "wait", paused: "wait", cancelling: "wait",
  cancelled: "faint", succeeded: "good", failed: "wrong",
};
const ACTIONS = {
  queued: ["pause", "cancel"], running: ["pause", "cancel"], pausing: ["cancel"],
  paused: ["resume", "cancel"], cancelled: ["retry"], failed: ["retry"],
};
const ENDED = new Set(["succeeded", "failed", "cancelled"]);

export const STATUSES = Object.keys(TONES);
export const KINDS = ["pipeline", "pretrain", "amalgamate", "finetune", "evaluate", "export"];

export const hasEnded = ({ status }) => ENDED.has(status);

export const actionsOf = ({ status }) => ACTIONS[status] ?? [];

export const pill = ({ status }) => make("span", { class: `pill ${TONES[status]}` }, status);

export const titleOf = ({ name, kind, step, config }) =>
  name ?? (step ? `step ${step}` : config.step ? `${kind}, ${config.step}` : kind);

/** How far a job is: a bar and the words beside it. */
export function progressOf(job) {
  const { progress } = job;
  const fraction = job.status === "succeeded" ? 1 : progress.fraction;
  const words = [];
  if (!hasEnded(job)) {
    if (progress.stage) words.push(progress.stage);
    if (progress.epoch) words.push(`epoch ${progress.epoch} of ${progress.epochs}`);
    if (progress.images_per_second) words.push(`${progress.images_per_second.toFixed(0)} images/s`);
    if (progress.eta_seconds && job.status === "running") words.push(`${duration(progress.eta_seconds)} left`);
  } else if (job.started_at && job.finished_at) {
    words.push(`took ${duration((new Date(job.finished_at) - new Date(job.started_at)) / 1000)}`);
  }
  return make("div", { class: "progress" },
    make("progress", { max: 1, value: fraction ?? 0, "aria-label": `Progress of ${titleOf(job)}` }),
    make("span", { class: "note" },
      [fraction === null || fraction === undefined ? "" : percent(fraction, 0), ...words]
        .filter(Boolean).join(" · ")));
}
