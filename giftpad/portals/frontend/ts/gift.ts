/**
 * The pages of a gift.  Everything works without this: it only tells that a person has the letter
 * before them, which a program that reads people's mail never does.
 */
import "../css/screens/gift.css";
import { begin } from "./page";

/** What a person does with a page, and a program that only looks at it does not. */
const GESTURES = ["pointerdown", "touchstart", "wheel", "keydown"] as const;

begin();

/**
 * With the first thing that somebody does here its form is sent without leaving.  Programs that
 * read people's mail run scripts too, scroll and take pictures; what they do is not trusted by the
 * browser, or is none of these.
 */
function tellOpened(form: HTMLFormElement): void {
  const told = new AbortController();
  const tell = (event: Event): void => {
    if (!event.isTrusted || document.visibilityState !== "visible") return;
    told.abort();
    const body = new URLSearchParams({ by: event.type });
    for (const [name, value] of new FormData(form)) body.append(name, String(value));
    // Nobody is told when this fails: the letter is read all the same.
    fetch(form.action, { method: "POST", body, keepalive: true }).catch(() => undefined);
  };
  for (const gesture of GESTURES) {
    document.addEventListener(gesture, tell, { passive: true, signal: told.signal });
  }
}

/** Two minutes before a gift is closed its page says so; one press keeps it open. */
function warnOfTheEnd(notice: HTMLElement): void {
  const again = (): void => {
    notice.hidden = true;
    window.setTimeout(() => {
      notice.hidden = false;
    }, Number(notice.dataset["afterS"]) * 1000);
  };
  notice.querySelector("button")?.addEventListener("click", () => {
    // Any page of the gift signs its token anew; where nobody answers the notice stays.
    fetch("/g").then((answer) => {
      if (answer.ok) again();
    }, () => undefined);
  });
  again();
}

/**
 * Such a form is answered where it was sent.  Without this, Back and reload come to a question of
 * the browser's, whether to send it again; with it they show the page anew.
 */
if (document.querySelector("form[data-anew]") !== null) {
  window.history.replaceState(null, "", window.location.href);
}

const closing = document.getElementById("closing");
if (closing !== null) warnOfTheEnd(closing);

const opened = document.querySelector<HTMLFormElement>("form[data-opened]");
if (opened !== null) tellOpened(opened);
