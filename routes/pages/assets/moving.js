// Moving an event to another day or hour: dragged with a mouse, or with a finger that is held on it for a moment.
// The form of the event does the same.
import { announce } from "./page.js";

const content = document.getElementById("content");
const grid = () => document.getElementById("grid");
const moveDialog = document.getElementById("move");
const moveForm = moveDialog.querySelector("form");
const MINUTE_STEP = 15;
const MOVABLE = "a.item[data-revision]";

// --- What is being dragged ---

let dragged = null;

function pickUp(link, y) {
  const cell = link.closest("[role=gridcell]");
  if (cell) dragged = { link, cell, grabbed: y - link.getBoundingClientRect().top };
  return Boolean(cell);
}

function mark(cell) {
  content.querySelector(".target")?.classList.remove("target");
  cell?.classList.add("target");
}

function putDown() {
  mark(null);
  content.querySelector(".picked")?.classList.remove("picked");
  dragged = null;
}

function drop(cell, y) {
  const { link, cell: origin, grabbed } = dragged;
  let [from, to] = [origin.dataset.date, cell.dataset.date];
  if (origin.dataset.time && cell.dataset.time) {
    from += `T${timeAt(origin, link.getBoundingClientRect().top, 5)}`;
    to += `T${timeAt(cell, y - grabbed, MINUTE_STEP)}`;
  }
  if (from !== to) askAndMove(link, from, to);
}

/** Return the time of a day at a height of the page, such as 09:15. */
function timeAt(cell, y, step) {
  const hour = cell.getBoundingClientRect();
  const minutes = Number(cell.dataset.time.slice(0, 2)) * 60 + ((y - hour.top) / hour.height) * 60;
  const rounded = Math.min(24 * 60 - step, Math.max(0, Math.round(minutes / step) * step));
  return `${String(Math.floor(rounded / 60)).padStart(2, "0")}:${String(rounded % 60).padStart(2, "0")}`;
}

// --- With a mouse ---

content.addEventListener("dragstart", (event) => {
  // A browser may begin this itself when a finger is held on a link.
  if (finger) return event.preventDefault();
  const link = event.target.closest?.(MOVABLE);
  if (link && pickUp(link, event.clientY)) event.dataTransfer.effectAllowed = "move";
});
content.addEventListener("dragover", (event) => {
  const cell = dragged && event.target.closest("[role=gridcell]");
  mark(cell);
  if (cell) event.preventDefault();
});
content.addEventListener("dragend", putDown);
content.addEventListener("drop", (event) => {
  const cell = dragged && event.target.closest("[role=gridcell]");
  if (!cell) return;
  event.preventDefault();
  drop(cell, event.clientY);
});

// --- With a finger: a short touch opens the event, a longer one picks it up, and moving at once scrolls the page ---

const HOLD_MILLISECONDS = 400;
const STILL_PIXELS = 10;
const EDGE_PIXELS = 60;
let finger = null;

content.addEventListener("pointerdown", (event) => {
  const link = event.target.closest(MOVABLE);
  if (event.pointerType === "mouse" || !event.isPrimary || !link) return;
  finger = { x: event.clientX, y: event.clientY };
  finger.hold = setTimeout(() => {
    if (!pickUp(link, finger.y)) return;
    link.classList.add("picked");
    announce(moveDialog.dataset.picked);
  }, HOLD_MILLISECONDS);
});
document.addEventListener("pointermove", (event) => {
  if (!finger || !event.isPrimary) return;
  const distance = Math.hypot(event.clientX - finger.x, event.clientY - finger.y);
  if (!dragged) return distance > STILL_PIXELS ? liftFinger() : undefined;
  [finger.x, finger.y] = [event.clientX, event.clientY];
  finger.scroll ??= setInterval(scrollAtEdges, 16);
  mark(cellAtFinger());
});
document.addEventListener("pointerup", (event) => {
  if (!finger || !event.isPrimary) return;
  const cell = dragged && cellAtFinger();
  if (cell) drop(cell, finger.y);
  if (dragged) {
    // Some browsers also click on what was under the finger.
    document.addEventListener("click", ignore, true);
    setTimeout(() => document.removeEventListener("click", ignore, true), 300);
  }
  liftFinger();
});
document.addEventListener("pointercancel", liftFinger);
// While an event is dragged, the page does not scroll with the finger, and no menu of the link opens.
document.addEventListener("touchmove", (event) => finger && dragged && event.preventDefault(), { passive: false });
document.addEventListener("contextmenu", (event) => finger && event.preventDefault());

function ignore(event) {
  event.preventDefault();
  event.stopPropagation();
}

function cellAtFinger() {
  return document.elementFromPoint(finger.x, finger.y)?.closest("#grid [role=gridcell]") ?? null;
}

function scrollAtEdges() {
  if (finger.y < EDGE_PIXELS) window.scrollBy(0, -8);
  else if (finger.y > window.innerHeight - EDGE_PIXELS) window.scrollBy(0, 8);
}

function liftFinger() {
  if (!finger) return;
  clearTimeout(finger.hold);
  clearInterval(finger.scroll);
  finger = null;
  putDown();
}

// --- Asking which occurrences are meant, and moving them ---

function askAndMove(link, from, to) {
  const target = new URL(link.href);
  const fields = moveForm.elements;
  moveForm.action = `${target.pathname}/move`;
  fields.occurrence.value = target.searchParams.get("occurrence") ?? "";
  fields.revision.value = link.dataset.revision;
  fields.from.value = from;
  fields.to.value = to;
  const base = new URL(document.querySelector(".brand").href).pathname.replace(/\/$/, "");
  fields.next.value = location.pathname.slice(base.length) + location.search;
  moveDialog.dataset.title = link.querySelector("bdi").textContent;
  if (fields.occurrence.value) moveDialog.showModal();
  else move();
}

moveForm.addEventListener("submit", (event) => {
  event.preventDefault();
  moveDialog.close();
  move();
});
moveForm.querySelector("[value=cancel]").addEventListener("click", () => moveDialog.close());

async function move() {
  const { title } = moveDialog.dataset;
  const to = moveForm.elements.to.value;
  const body = new URLSearchParams(new FormData(moveForm));
  let reason = moveDialog.dataset.unreachable;
  content.querySelector(":scope > .message")?.remove();
  try {
    const response = await fetch(moveForm.action, { method: "POST", body, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (response.ok && page.getElementById("grid")) {
      return show(page, fill(moveDialog.dataset.moved, { title, day: dayOf(to) }));
    }
    reason = page.querySelector("main h1")?.textContent ?? "";
  } catch {
    // Without an answer, the reason stays as it is.
  }
  complain(fill(moveDialog.dataset.failed, { title, reason }));
}

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

/** Return a day, and a time if there is one, as the page writes it. */
function dayOf(to) {
  const [day, time] = to.split("T");
  const cell = grid().querySelector(`[data-date="${day}"]`);
  const written = (cell.querySelector(".date") ?? cell.closest("[role=row]").querySelector(".date")).textContent;
  return written.replace(/\s+/g, " ").trim() + (time ? `, ${time}` : "");
}

function show(page, message) {
  content.querySelector(".calendar").replaceWith(document.adoptNode(page.querySelector(".calendar")));
  document.dispatchEvent(new Event("calendar-shown"));
  announce(message);
}

function complain(message) {
  const place = document.createElement("p");
  place.className = "message";
  place.role = "alert";
  place.textContent = message;
  content.prepend(place);
}
