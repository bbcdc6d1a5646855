import { begin, say, tell } from "./page";
import { watchRequests } from "./parts";

begin();
watchRequests();

// Ctrl+K goes to the search of the page, where it has one.
document.addEventListener("keydown", (event) => {
  if (event.key !== "k" || !(event.ctrlKey || event.metaKey)) return;
  const search = document.querySelector<HTMLInputElement>("input[type=search]");
  if (search === null) return;
  event.preventDefault();
  search.focus();
  search.select();
});

// A text to be handed on is copied by a button; where the browser has no way to, it stays away.
for (const button of document.querySelectorAll<HTMLElement>("button[data-copies]")) {
  const field = document.getElementById(button.dataset["copies"] ?? "");
  if (!(field instanceof HTMLInputElement) || navigator.clipboard === undefined) continue;
  button.hidden = false;
  button.addEventListener("click", () => {
    field.select();
    navigator.clipboard.writeText(field.value).then(
      () => tell(say("copied")),
      () => tell(say("not-copied"), "error"),
    );
  });
}
