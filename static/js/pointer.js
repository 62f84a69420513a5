// What is pressed must not move: a click whose button went down on one thing and up on another is lost.

let isDown = false;
/** @type {(() => void)[]} */
let waiting = [];

document.addEventListener("pointerdown", () => (isDown = true), { capture: true, passive: true });
for (const name of ["pointerup", "pointercancel", "dragend"]) {
  // The click itself comes right after the pointer has gone up, and must find the page as it was.
  document.addEventListener(name, () => setTimeout(release), { capture: true, passive: true });
}
window.addEventListener("blur", release); // an up outside of the window is not always told

function release() {
  isDown = false;
  const ready = waiting;
  waiting = [];
  for (const go of ready) go();
}

/** Resolves at once, or when the pointer that is pressed has gone up and its click was taken. @returns {Promise<void>} */
export function pointerReleased() {
  return isDown ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve();
}
