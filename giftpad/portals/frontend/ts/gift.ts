/**
 * The pages of a gift.  Everything works without this: it only tells that a person has the letter
 * before them, which a program that reads people's mail never does.
 */
import "../css/screens/gift.css";
import { begin } from "./page";

const SEEN_AFTER_MS = 1500;

begin();

/** After the letter was seen for a moment, and not only loaded, its form is sent without leaving. */
function tellOpened(form: HTMLFormElement): void {
  let timer = 0;
  const wait = (): void => {
    window.clearTimeout(timer);
    if (document.visibilityState !== "visible") return;
    timer = window.setTimeout(() => {
      document.removeEventListener("visibilitychange", wait);
      const body = new URLSearchParams();
      for (const [name, value] of new FormData(form)) body.append(name, String(value));
      // Nobody is told when this fails: the letter is read all the same.
      fetch(form.action, { method: "POST", body, keepalive: true }).catch(() => undefined);
    }, SEEN_AFTER_MS);
  };
  document.addEventListener("visibilitychange", wait);
  wait();
}

const opened = document.querySelector<HTMLFormElement>("form[data-opened]");
if (opened !== null) tellOpened(opened);
