/**
 * Parts of a page that are redrawn in place by htmx: where the focus goes after one, what is said
 * when an answer does not come.  The desk's pages have such parts; a phone's need none.
 */
import "htmx.org";
import { say, showBusy, tell } from "./page";

const BROKEN = 500;

interface Asked {
  ctx?: { sourceElement?: Element; sourceEvent?: Event; response?: { status: number } };
}

const BY_HAND = new Set(["submit", "click", "change"]);

interface Sending {
  source: Element;
  status: number;
  byHand: boolean;
  pressed: HTMLElement | null;
}

function asked(event: Event): Sending | null {
  const { sourceElement, sourceEvent, response } = (event as CustomEvent<Asked>).detail?.ctx ?? {};
  if (sourceElement === undefined) return null;
  const byHand = sourceEvent !== undefined && BY_HAND.has(sourceEvent.type);
  const button = sourceEvent instanceof SubmitEvent ? sourceEvent.submitter : sourceElement;
  const pressed = button instanceof HTMLButtonElement ? button : null;
  return { source: sourceElement, status: response?.status ?? 0, byHand, pressed };
}

/** What somebody asked for shows that it is under way and takes the focus; a poll does neither. */
export function watchRequests(): void {
  const ends = new WeakMap<Element, () => void>();
  document.addEventListener("htmx:before:request", (event) => {
    const found = asked(event);
    if (found?.byHand && found.pressed !== null) ends.set(found.source, showBusy(found.pressed));
  });
  document.addEventListener("htmx:finally:request", (event) => {
    const source = asked(event)?.source;
    if (source !== undefined) ends.get(source)?.();
  });
  const fail = (): void => tell(say(navigator.onLine ? "no-answer" : "offline"), "error");
  document.addEventListener("htmx:error", fail);
  document.addEventListener("htmx:response:error", (event) => {
    if ((asked(event)?.status ?? 0) >= BROKEN) fail();
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const found = asked(event);
    if (found === null || found.status >= BROKEN) return;
    tell("");
    if (found.byHand) document.querySelector<HTMLElement>("main [data-focus]")?.focus();
  });
}
