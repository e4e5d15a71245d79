// The form of an event: it shows what is needed, and says the rule in words. Without it, everything is there.
import { announce } from "./page.js";

const form = document.querySelector("[data-event-form]");
const field = (name) => form.elements.namedItem(name);
const MOMENT = /^\d{4}-\d\d-\d\dT/;

/** Let the start and the end be days, or times; a time comes back when they are times again. */
function adaptToAllDay() {
  const allDay = field("all_day").checked;
  for (const input of [field("start"), field("end")]) {
    const value = input.value;
    if (MOMENT.test(value)) input.dataset.time = value.slice(10);
    input.type = allDay ? "date" : "datetime-local";
    if (!value) continue;
    const other = input.name === "start" ? "T09:00" : "T10:00";
    input.value = allDay ? value.slice(0, 10) : value.slice(0, 10) + (input.dataset.time ?? other);
  }
  for (const part of form.querySelectorAll("[data-timed]")) part.hidden = allDay;
}

/** Keep the length of the event when its start moves. */
let lastStart = field("start").value;
function moveEnd() {
  const [start, end] = [field("start"), field("end")];
  const before = new Date(lastStart), after = new Date(start.value), until = new Date(end.value);
  if (end.value && ![before, after, until].some(Number.isNaN) && until >= before) {
    // Reckoned in UTC, where no clock changes.
    const moved = new Date(Date.parse(utc(end.value)) + Date.parse(utc(start.value)) - Date.parse(utc(lastStart)));
    if (!Number.isNaN(moved.getTime())) end.value = moved.toISOString().slice(0, start.type === "date" ? 10 : 16);
  }
  lastStart = start.value;
}
const utc = (value) => (value.length > 10 ? `${value}Z` : value);

/** Show the fields that belong to how the event repeats. */
function adaptToRepeats() {
  const repeats = field("repeats").value;
  for (const part of form.querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(repeats);
}

const sentence = form.querySelector("[data-sentence]");
const source = form.querySelector("[data-source]").dataset.source;
let waiting = 0, asked = 0;
async function sayRule() {
  const number = ++asked, query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (value && value.length < 2000 && /^(start|all_day|time_zone|repeats|interval|weekday_..|day_of_month|until|count|rrule|rdates|exdates)$/.test(name)) query.set(name, value);
  }
  if (!query.has("repeats")) {
    sentence.textContent = "";
    return;
  }
  try {
    const response = await fetch(`${source}?${query}`);
    const said = await response.json();
    if (number !== asked || !response.ok) return;
    sentence.classList.toggle("error", Boolean(said.mistake));
    sentence.textContent = said.sentence ? sentence.dataset.pattern.replace("{sentence}", () => said.sentence) : said.mistake;
  } catch {
    // Without the planner there is no sentence; saving will say so.
  }
}

const contents = () => new URLSearchParams(new FormData(form)).toString();
const opened = contents();

form.addEventListener("change", (event) => {
  if (event.target === field("all_day")) {
    adaptToAllDay();
    lastStart = field("start").value;
  }
  if (event.target === field("start")) moveEnd();
  if (event.target === field("repeats")) adaptToRepeats();
});
form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(sayRule, 200);
});
form.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  if (event.key !== "Escape" || event.defaultPrevented) return;
  const cancel = form.querySelector("[data-cancel]");
  if (contents() === opened) {
    cancel.click();
  } else {
    cancel.focus();
    announce(form.dataset.unsaved);
  }
});

if (field("all_day").checked) adaptToAllDay();
adaptToRepeats();
