/**
 * What every page shares: what is shown while a form is sent, what works with a script only, paper.
 * All words come from <template id="m-…"> in the page.
 */
import "../css/index.css";

const BUSY_AFTER_MS = 300;
const ANSWER_MAX_MS = 15_000;

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
export function showBusy(button: HTMLElement): () => void {
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
    if (event.defaultPrevented) return; // a script sends it, and shows so
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

/** Show what does nothing without a script: this one has begun. */
export function reveal(): void {
  for (const waiting of document.querySelectorAll<HTMLElement>("[data-needs-script]")) {
    waiting.hidden = false;
  }
}

/** Start what every page shares. */
export function begin(): void {
  reveal();
  showLine();
  window.addEventListener("online", showLine);
  window.addEventListener("offline", showLine);
  sendOnce();
  openForPrint();
  showPasswords();
  if (document.querySelector("[data-passkey]") !== null) {
    void import("./passkey").then(({ offerPasskeys }) => offerPasskeys());
  }
  document.addEventListener("click", (event) => {
    const pressed = event.target instanceof Element ? event.target.closest("[data-act]") : null;
    if (pressed instanceof HTMLElement && pressed.dataset["act"] === "print") window.print();
  });
  document.querySelector<HTMLElement>("main [data-focus]")?.focus();
}
