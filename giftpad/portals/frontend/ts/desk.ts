import { begin } from "./hx";

begin();

// Ctrl+K goes to the search of the page, where it has one.
document.addEventListener("keydown", (event) => {
  if (event.key !== "k" || !(event.ctrlKey || event.metaKey)) return;
  const search = document.querySelector<HTMLInputElement>("input[type=search]");
  if (search === null) return;
  event.preventDefault();
  search.focus();
  search.select();
});
