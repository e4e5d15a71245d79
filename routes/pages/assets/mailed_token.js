// Takes the token behind the # of a mailed link into the form, and out of the address.
const place = document.querySelector("[data-mailed-token]");
const field = place.querySelector("input");
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token) {
  field.value = token;
  history.replaceState(null, "", location.pathname);
}
place.hidden = field.value !== "" && !field.hasAttribute("aria-invalid");
