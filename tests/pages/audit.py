"""What accessibility checkers look at, as scripts that run in the page and return what is wrong."""

UNLABELLED = """
[...document.querySelectorAll('button, input, select, textarea, a[href], summary')]
  .filter((each) => each.checkVisibility() && !(
    each.getAttribute('aria-label') || each.labels?.length || each.innerText?.trim()))
  .map((each) => each.outerHTML.slice(0, 120))
"""
"""Controls without a name."""

NAMELESS_PICTURES = """
[...document.querySelectorAll('img:not([alt]), svg[role=img]:not([aria-label])')]
  .map((each) => each.outerHTML.slice(0, 120))
"""

DOUBLE_IDS = """
[...document.querySelectorAll('[id]')].map((each) => each.id)
  .filter((id, place, all) => all.indexOf(id) !== place)
"""

TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
"""Pixels by which the page is wider than the window."""

LOW_CONTRAST = """
(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = rgba(getComputedStyle(each).backgroundColor);
      if (colour[3] === 255) return colour.slice(0, 3);
    }
    return rgba(matchMedia('(prefers-color-scheme: dark)').matches ? 'black' : 'white').slice(0, 3);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const drawn = element.closest('svg');
    const ink = rgba(drawn ? style.fill : style.color).slice(0, 3);
    const [a, b] = [light(ink), light(ground(drawn?.parentElement ?? element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const isLarge = parseFloat(style.fontSize) >= 24;
    if (ratio < (isLarge ? 3 : 4.5)) {
      found.push(`${ratio.toFixed(2)} ${walker.currentNode.data.trim().slice(0, 40)}`);
    }
  }
  return found;
})()
"""
"""Texts whose contrast with what lies below them is less than WCAG's AA."""

OUTLINED = """
(() => {
  const style = getComputedStyle(document.activeElement);
  const around = getComputedStyle(document.activeElement.parentElement);
  return [style, around].some((each) => each.outlineStyle !== 'none'
    && parseFloat(each.outlineWidth) >= 2);
})()
"""
"""Whether it is to be seen which control has the focus."""

FOCUSED = "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.id) || document.activeElement.innerText"
