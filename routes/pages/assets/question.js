// Asks in a dialog what is a page without scripts: which occurrences a change or a deletion is meant for.
// The planner decides whether there is something to ask; everything else that it answers is shown as a page.

async function send(event) {
  const { currentTarget: form, submitter } = event;
  if (submitter?.name) return;
  event.preventDefault();
  if (form.dataset.sending) return;
  form.dataset.sending = "yes";
  try {
    const body = new URLSearchParams(new FormData(form));
    const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
    if (response.redirected) return location.assign(response.url);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const question = page.querySelector("[data-question]");
    if (question) return show(question, submitter);
  } catch {
    // Without an answer, the browser says so.
  } finally {
    delete form.dataset.sending;
  }
  // What is wrong with the form changed nothing, so that it can be sent once more.
  form.submit();
}

function show(question, submitter) {
  const title = document.createElement("h2");
  title.id = "question-title";
  const heading = question.querySelector("h1");
  title.textContent = heading.textContent;
  heading.replaceWith(title);
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", title.id);
  dialog.append(...question.childNodes);
  dialog.querySelector("[data-back]").addEventListener("click", (event) => {
    event.preventDefault();
    dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    submitter?.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
}

for (const form of document.querySelectorAll("[data-asks]")) form.addEventListener("submit", send);
