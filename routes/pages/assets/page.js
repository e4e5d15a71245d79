// What every page does if scripts run: nothing here is needed for a page to work.

/** Tell people who listen to the page what has changed. */
export function announce(text) {
  const place = document.getElementById("announcements");
  if (place) place.textContent = text;
}

// The time zone of the browser is offered where the planner does not know one yet.
for (const field of document.querySelectorAll("[data-browser-zone]")) {
  if (!field.value) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
}

// After a form was not accepted, the first field that is wrong has the focus.
document.querySelector("[aria-invalid=true]")?.focus();

// A button beside a text to be copied; without scripts, one selects the text.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    announce(button.dataset.copied);
  });
}
