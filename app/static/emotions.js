// A colour for each emotion: the same lightness for all, so that each stands out on both grounds.

const HUES = {
  amusement: 70, anger: 27, awe: 215, calm: 190, contentment: 155, disgust: 130, excitement: 45,
  fear: 300, joy: 90, sadness: 255, surprise: 345,
};
const GREY = "oklch(0.58 0.01 270)";

export function colour(label, position = 0) {
  if (label === "neutral") return GREY;
  const hue = HUES[label] ?? (25 + 137.5 * position) % 360;
  return `oklch(0.6 0.14 ${hue})`;
}
