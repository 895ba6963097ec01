// Figures as people read them.

export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;

/** A difference of shares, with its sign. */
export function points(difference) {
  const text = Math.abs(100 * difference).toFixed(1);
  return `${difference < 0 ? "−" : "+"}${text}`;
}

/** A figure of unknown size, in about four digits. */
export function figure(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 100000)) return value.toExponential(2);
  return Number.isInteger(value) ? String(value) : value.toPrecision(4).replace(/\.?0+$/, "");
}

export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

export function size(bytes) {
  const units = ["B", "KB", "MB", "GB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  return `${(bytes / 1000 ** power).toFixed(power ? 1 : 0)} ${units[power]}`;
}

/** How long ago, roughly. */
export function ago(moment) {
  const seconds = (Date.now() - new Date(moment)) / 1000;
  const steps = [[60, 1, "s"], [3600, 60, "min"], [86400, 3600, "h"], [Infinity, 86400, "d"]];
  const [, unit, name] = steps.find(([limit]) => seconds < limit);
  return `${Math.max(0, Math.floor(seconds / unit))} ${name} ago`;
}

export const clock = (moment) =>
  new Date(moment).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
