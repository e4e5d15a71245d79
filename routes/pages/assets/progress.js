// Shows how far an import is, without loading the whole page again.
async function update() {
  const shown = document.querySelector("[data-progress]");
  if (shown.dataset.progress !== "running") return;
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const next = page.querySelector("[data-progress]");
    if (!next) return location.reload();
    const wasFocused = shown.contains(document.activeElement);
    shown.replaceWith(next);
    document.title = page.title;
    if (wasFocused) document.getElementById("content").focus();
    document.getElementById("announcements").textContent = next.querySelector("label, h1").textContent;
  } catch {
    // The planner does not answer just now; the next try may succeed.
  }
  setTimeout(update, 1000);
}

setTimeout(update, 500);
