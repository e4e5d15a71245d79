// Search while one types: the results of the same page are fetched, without the rest of it.
import { announce } from "./page.js";

const form = document.getElementById("search");
const results = document.getElementById("results");
const PAUSE_MILLISECONDS = 200;
let timer = 0;
let running = null;

/** Return the address of the results that the form asks for, without the fields that change nothing. */
function address() {
  const fields = new FormData(form);
  if (!fields.get("near")) fields.delete("km");
  const filled = [...fields].filter(([, value]) => value !== "");
  return `${form.action}?${new URLSearchParams(filled)}`;
}

async function load(url) {
  running?.abort();
  running = new AbortController();
  const part = new URL(url);
  part.searchParams.set("part", "results");
  const response = await fetch(part, { signal: running.signal, headers: { Accept: "text/html" } });
  if (response.redirected || !response.ok) throw new Error(response.statusText);
  return new DOMParser().parseFromString(await response.text(), "text/html").body;
}

async function search() {
  const url = address();
  try {
    const found = await load(url);
    results.replaceChildren(...found.childNodes);
    history.replaceState(null, "", url);
    announce(results.querySelector("[data-count]")?.textContent ?? "");
  } catch (error) {
    // Whoever was signed out meanwhile gets the page that says so.
    if (error.name !== "AbortError") location.assign(url);
  }
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(search, PAUSE_MILLISECONDS);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(timer);
  search();
});
results.addEventListener("click", async (event) => {
  const link = event.target.closest("#more");
  if (!link) return;
  event.preventDefault();
  try {
    const found = await load(link.href);
    const items = [...found.querySelectorAll(".found > li")];
    link.parentElement.remove();
    results.querySelector(".found").append(...items);
    const more = found.querySelector("#more");
    if (more) results.append(more.parentElement);
    items[0]?.querySelector("a").focus();
    announce(found.querySelector("[data-count]")?.textContent ?? "");
  } catch (error) {
    if (error.name !== "AbortError") location.assign(link.href);
  }
});
