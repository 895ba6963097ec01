// Something done again and again while it is looked at.

/** Run `task` now and every `seconds` after it ended, until told to stop or it answers "done". */
export function every(seconds, task) {
  let timer = null;
  let stopped = false;
  async function round() {
    const done = document.hidden ? false : (await task()) === "done";
    if (!stopped && !done) timer = setTimeout(round, 1000 * seconds);
  }
  round();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
