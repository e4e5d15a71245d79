// The calendar with keys. Everything can also be done with the links of the page.

const content = document.getElementById("content");
const grid = () => document.getElementById("grid");
const keysDialog = document.getElementById("keys");

// --- Where the focus is: one cell, and the links in it, can be reached with Tab ---

const rows = () =>
  [...grid().querySelectorAll("[role=row]")]
    .map((row) => [...row.querySelectorAll("[role=gridcell]")])
    .filter((row) => row.length);
const cells = () => rows().flat();
const events = (cell) => [...cell.querySelectorAll("a.item")];
let current = null;

function choose(cell) {
  for (const other of [current, cell]) {
    if (!other) continue;
    other.tabIndex = other === cell ? 0 : -1;
    for (const link of other.querySelectorAll("a")) link.tabIndex = other === cell ? 0 : -1;
  }
  current = cell;
}

function start() {
  const all = cells();
  for (const cell of all) {
    cell.tabIndex = -1;
    for (const link of cell.querySelectorAll("a")) link.tabIndex = -1;
  }
  const today = all.find((cell) => cell.closest("[aria-current=date]"));
  current = null;
  if (all.length) choose(today ?? all.find((cell) => !cell.classList.contains("outside")) ?? all[0]);
  document.getElementById("show-keys").hidden = false;
}

function focusCell(cell) {
  if (!cell) return;
  choose(cell);
  cell.focus();
}

function moveFocus(cell, down, right) {
  const all = rows();
  const row = all.findIndex((each) => each.includes(cell));
  const column = all[row].indexOf(cell);
  // In a week, a day is a row that is drawn as a column.
  const [rowStep, step] = grid().dataset.rows === "down" ? [right, down] : [down, right];
  if (rowStep) return focusCell(all[row + rowStep]?.[Math.min(column, all[row + rowStep].length - 1)]);
  const line = all.flat();
  const next = line[line.indexOf(cell) + step];
  if (grid().dataset.rows !== "down" || all[row].includes(next)) focusCell(next);
}

function open(cell) {
  const links = events(cell);
  if (links.length === 1) links[0].click();
  else if (links.length) links[0].focus();
  else (cell.querySelector("a.slot") ?? cell.querySelector("a.date") ?? cell.closest("[role=row]").querySelector("a")).click();
}

const arrows = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function pressInGrid(event) {
  const cell = event.target.closest("[role=gridcell]");
  const link = event.target.closest("a");
  if (!cell) return false;
  if (event.key in arrows) {
    const [down, right] = arrows[event.key];
    const links = events(cell);
    const next = down && link ? links[links.indexOf(link) + down] : undefined;
    if (next) next.focus();
    else moveFocus(cell, down, right);
  } else if (event.key === "Enter" && !link) open(cell);
  else if (event.key === "Escape" && link) cell.focus();
  else if (event.key === "Home") focusCell(rows().find((row) => row.includes(cell))[0]);
  else if (event.key === "End") focusCell(rows().find((row) => row.includes(cell)).at(-1));
  else return false;
  return true;
}

// --- Keys of the whole page ---

const SINGLE_KEYS = "planner-single-keys";
const singleKeys = document.getElementById("single-keys");
try {
  singleKeys.checked = localStorage.getItem(SINGLE_KEYS) !== "off";
} catch {
  // Without storage, they are on.
}
singleKeys.addEventListener("change", () => {
  try {
    localStorage.setItem(SINGLE_KEYS, singleKeys.checked ? "on" : "off");
  } catch {
    // They are as chosen until the page is left.
  }
});

// The page that is opened with a key begins with the focus in the calendar. No part of it has this name: otherwise the
// browser would move the focus there itself.
const WITH_FOCUS = "#focus";
const go = (id) => location.assign(document.getElementById(id).href + WITH_FOCUS);

function createEvent() {
  const cell = document.activeElement.closest?.("[role=gridcell]");
  const target = new URL(document.getElementById("new-event").href);
  if (cell) target.searchParams.set("start", cell.dataset.time ? `${cell.dataset.date}T${cell.dataset.time}` : cell.dataset.date);
  location.assign(target);
}

const pageKeys = { PageUp: () => go("previous"), PageDown: () => go("next") };
const letters = {
  t: () => go("today"),
  n: createEvent,
  "/": () => location.assign(document.querySelector("[data-search]").href),
  "?": () => keysDialog.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.target.closest("input, select, textarea, dialog")) return;
  const act = pageKeys[event.key] ?? (singleKeys.checked ? letters[event.key] : undefined);
  if (act) act();
  else if (!pressInGrid(event)) return;
  event.preventDefault();
});
document.addEventListener("focusin", (event) => {
  const cell = event.target.closest("#grid [role=gridcell]");
  if (cell && cell !== current) choose(cell);
});
content.addEventListener("click", (event) => {
  if (event.target.closest("#show-keys")) keysDialog.showModal();
});

// moving.js says so when it has put another calendar into the page.
document.addEventListener("calendar-shown", start);
start();
if (location.hash === WITH_FOCUS && current) current.focus();
