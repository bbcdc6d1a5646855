/**
 * What every page shares: partial updates by htmx, where the focus goes after one, what is said
 * when an answer does not come.  All words come from <template id="m-…"> in the page.
 */
import "../css/index.css";
import "htmx.org";

const BUSY_AFTER_MS = 300;
const ANSWER_MAX_MS = 15_000;
const BROKEN = 500;

/** The text of <template id="m-name">, translated by the server; empty where there is none. */
export function say(name: string): string {
  const template = document.getElementById(`m-${name}`);
  return template instanceof HTMLTemplateElement ? (template.content.textContent ?? "").trim() : "";
}

/** Say something in the one place for it: read out at once, empty text takes it away. */
export function tell(text: string, kind: "error" | "info" = "info"): void {
  const status = document.getElementById("gp-status");
  if (status === null) return;
  status.dataset["kind"] = kind;
  status.textContent = text;
}

function showLine(): void {
  const bar = document.getElementById("gp-offline");
  if (bar !== null) bar.hidden = navigator.onLine;
}

/** After 300 ms without an answer the pressed button says that it works; its width stays. */
function showBusy(button: HTMLElement): () => void {
  const before = button.innerHTML;
  const timer = window.setTimeout(() => {
    button.style.minWidth = `${button.offsetWidth}px`;
    button.setAttribute("aria-busy", "true");
    button.textContent = button.dataset["busy"] ?? say("busy");
  }, BUSY_AFTER_MS);
  return () => {
    window.clearTimeout(timer);
    if (!button.isConnected) return;
    button.removeAttribute("aria-busy");
    button.style.minWidth = "";
    button.innerHTML = before;
  };
}

/** A form is sent once: what is pressed while it is under way is not sent again. */
function sendOnce(): void {
  const ends = new Map<HTMLFormElement, () => void>();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.method !== "post") return;
    if (form.dataset["sent"] !== undefined) {
      event.preventDefault();
      return;
    }
    if (event.defaultPrevented) return; // htmx or a script of the page sends it, and shows so
    form.dataset["sent"] = "";
    const button = event.submitter;
    const end = button instanceof HTMLButtonElement ? showBusy(button) : undefined;
    if (end !== undefined) ends.set(form, end);
    // An answer that is a file leaves the page as it is; so does one that never comes.
    window.setTimeout(() => {
      delete form.dataset["sent"];
      end?.();
    }, ANSWER_MAX_MS);
  });
  // A page that comes back from the browser's memory may be sent again: its key keeps it single.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll<HTMLFormElement>("form[data-sent]")) {
      delete form.dataset["sent"];
      ends.get(form)?.();
    }
    ends.clear();
  });
}

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
function watchRequests(): void {
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

/** On paper everything that can be opened is open; afterwards it is as it was. */
function openForPrint(): void {
  let opened: HTMLDetailsElement[] = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll<HTMLDetailsElement>("main details:not([open])")];
    for (const details of opened) details.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });
}

/** Beside each password stands a way to see it; it is hidden again before it is sent. */
function showPasswords(): void {
  const [show, hide] = [say("show-password"), say("hide-password")];
  if (show === "" || hide === "") return;
  for (const field of document.querySelectorAll<HTMLInputElement>("input.gp-input[type=password]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "gp-button";
    button.dataset["kind"] = "text";
    button.setAttribute("aria-controls", field.id);
    const set = (shown: boolean): void => {
      field.type = shown ? "text" : "password";
      button.textContent = shown ? hide : show;
    };
    set(false);
    button.addEventListener("click", () => set(field.type === "password"));
    field.form?.addEventListener("submit", () => set(false));
    field.spellcheck = false;
    field.autocapitalize = "none";
    const row = document.createElement("div");
    row.className = "gp-row";
    row.append(button);
    field.after(row);
  }
}

/** Start what every page shares. */
export function begin(): void {
  showLine();
  window.addEventListener("online", showLine);
  window.addEventListener("offline", showLine);
  sendOnce();
  watchRequests();
  openForPrint();
  showPasswords();
  document.addEventListener("click", (event) => {
    const pressed = event.target instanceof Element ? event.target.closest("[data-act]") : null;
    if (pressed instanceof HTMLElement && pressed.dataset["act"] === "print") window.print();
  });
  document.querySelector<HTMLElement>("main [data-focus]")?.focus();
}
