// The form: the postcode is checked while a person types. An error is shown only when the person has left the field.
import { addressLines, check, formatAddress, readAddress } from "./postcode.js";

const [postcode, address, style, use, error, said, envelope, checked] = [
  "postcode", "address", "style", "use", "postcode-error", "postcode-said", "envelope", "checked",
].map((id) => document.getElementById(id));

// Says what is wrong at the field, or nothing.
function tell(message) {
  error.textContent = message ? `Error: ${message}` : "";
  error.hidden = !message;
  if (message) postcode.setAttribute("aria-invalid", "true");
  else postcode.removeAttribute("aria-invalid");
}

// Offers the postcode that was probably meant as a button.
function offer(suggestion) {
  use.hidden = !suggestion;
  use.textContent = suggestion ? `Use ${suggestion}` : "";
  use.value = suggestion ?? "";
}

function sentence(answer) {
  if (answer.reason === "empty") return "Enter a postcode, such as SW1A 1AA";
  return answer.message.charAt(0).toUpperCase() + answer.message.slice(1);
}

function typed() {
  const answer = check(postcode.value);
  checked.textContent = "";
  if (answer.valid) {
    tell("");
    said.textContent = `${answer.postcode}: ${answer.area_name ?? "no postcode area has these letters"}`;
  } else {
    said.textContent = "";
    // An error that is shown follows the text until it is mended.
    if (!error.hidden) tell(sentence(answer));
  }
  offer(answer.suggestion);
  write();
  return answer;
}

function left() {
  const answer = typed();
  if (answer.valid) postcode.value = answer.postcode;
  else tell(sentence(answer));
  return answer.valid;
}

function write() {
  const elements = readAddress(address.value);
  const answer = check(postcode.value);
  if (answer.valid) elements.postcode = answer.postcode;
  const written = formatAddress(elements, style.value);
  const lines = style.value === "guide" ? addressLines(elements, 12) : [...written.lines, written.post_town, written.postcode];
  envelope.textContent = lines.filter(Boolean).join("\n") || "Enter an address to see it here.";
}

postcode.addEventListener("input", typed);
postcode.addEventListener("change", left);
address.addEventListener("input", write);
address.addEventListener("change", () => {
  // An address that was pasted has its postcode with it.
  const found = readAddress(address.value).postcode;
  if (found && !postcode.value) {
    postcode.value = found;
    left();
  }
});
style.addEventListener("change", write);
use.addEventListener("click", () => {
  postcode.value = use.value;
  left();
  postcode.focus();
});
document.forms[0].addEventListener("submit", (event) => {
  event.preventDefault();
  if (left()) checked.textContent = `This is what would be sent: ${envelope.textContent.replaceAll("\n", ", ")}`;
  else postcode.focus();
});
