/**
 * The last step, and the doubt after it: yellow until the server says accepted or refused.
 */
import { say } from "../page";
import { ask, type Answer } from "./ask";
import { on, put } from "./screens";
import { find, forget, remember, type Asked } from "./store";
import { clockOf, yen } from "./words";

const PAUSES_S = [1, 2, 4, 8];
const LATER_AFTER_MS = 30_000;
const SIGNED_OUT = 401;

/** Show how it ended; what is certain need not be remembered. */
function show(asked: Asked, answer: Extract<Answer, { html: string; address?: string }>): void {
  forget(asked.address);
  put(answer.html, answer.kind === "turned" ? undefined : answer.address);
}

/** Say on the yellow screen that it cannot be asked from here, and where it can be looked up. */
function sayTurned(screen: Element): void {
  const reveal = (name: string, isShown: boolean): void => {
    for (const part of screen.querySelectorAll<HTMLElement>(name)) part.hidden = !isShown;
  };
  reveal("[data-said=turned], [data-list]", true);
  reveal("[data-said=asking], [data-said=waiting], [data-act=ask]", false);
  screen.querySelector<HTMLElement>("[data-list]")?.focus();
}

/** Show the yellow screen and ask on, at 1, 2, 4, 8 and every 8 seconds, and whenever pressed. */
function doubt(asked: Asked): void {
  const template = document.getElementById("m-doubt");
  if (!(template instanceof HTMLTemplateElement)) return;
  const screen = template.content.cloneNode(true) as DocumentFragment;
  const amount = screen.querySelector("[data-amount]");
  if (amount !== null) {
    amount.textContent = yen(Number(asked.amount));
    amount.className = "gp-amount";
    amount.setAttribute("data-big", "");
  }
  for (const place of screen.querySelectorAll("[data-serial]")) place.textContent = asked.serial;
  for (const place of screen.querySelectorAll("[data-time]")) place.textContent = clockOf(asked.at);
  let timer = 0;
  let times = 1;
  let over = false;
  const later = (): void => {
    document.querySelector<HTMLElement>("[data-screen=doubt] [data-said=later]")?.removeAttribute("hidden");
  };
  const patience = window.setTimeout(later, LATER_AFTER_MS);
  const again = async (): Promise<void> => {
    window.clearTimeout(timer);
    const answer = await ask(asked, true);
    if (over) return;
    if (answer.kind === "turned") {
      // The door knows this sending only, and nothing of the one whose answer was lost.
      if (answer.status === SIGNED_OUT) location.reload(); // to the sign-in, and back here
      else {
        window.removeEventListener("online", again);
        document.querySelectorAll("[data-screen=doubt]").forEach(sayTurned);
      }
      return;
    }
    if (answer.kind !== "lost") {
      show(asked, answer);
      return;
    }
    times += 1;
    const waiting = document.querySelector<HTMLElement>("[data-screen=doubt] [data-said=waiting]");
    if (waiting !== null) {
      waiting.dataset["text"] ??= waiting.textContent ?? "";
      waiting.textContent = (waiting.dataset["text"] ?? "").replace("{n}", String(times));
      waiting.hidden = false;
    }
    plan();
  };
  const plan = (): void => {
    window.clearTimeout(timer);
    timer = window.setTimeout(again, (PAUSES_S[times - 1] ?? PAUSES_S[PAUSES_S.length - 1] ?? 8) * 1000);
  };
  on("doubt", (shown) => {
    shown.querySelector("[data-act=ask]")?.addEventListener("click", () => void again());
    window.addEventListener("online", again);
    plan();
    return () => {
      over = true;
      window.clearTimeout(timer);
      window.clearTimeout(patience);
      window.removeEventListener("online", again);
    };
  });
  put(screen);
}

/** Take the payment of the screen that was shown to the customer. */
export function startConfirm(screen: HTMLElement): void {
  const form = screen.querySelector<HTMLFormElement>("form[data-pay]");
  if (form === null) return;
  const address = new URL(form.action).pathname;
  const isInDoubt = (): boolean => {
    const known = find(address);
    if (known === undefined || known.ended !== undefined) return false;
    // It was sent already, here or in another window: what came of it is asked for, nothing else.
    doubt(known);
    return true;
  };
  if (isInDoubt()) return;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (form.dataset["sent"] !== undefined || isInDoubt()) return;
    form.dataset["sent"] = "";
    const button = form.querySelector<HTMLButtonElement>("button");
    const busy = window.setTimeout(() => {
      if (button === null) return;
      button.setAttribute("aria-busy", "true");
      button.textContent = say("busy");
    }, 300);
    const asked: Asked = {
      address,
      amount: String(new FormData(form).get("amount") ?? ""),
      serial: form.dataset["serial"] ?? "",
      at: Date.now(),
    };
    remember(asked);
    void ask(asked, false).then((answer) => {
      window.clearTimeout(busy);
      if (answer.kind === "lost") {
        doubt(asked);
        return;
      }
      // What is turned away here was the only sending, and could not pay.
      if (answer.kind === "turned" && answer.status === SIGNED_OUT) {
        forget(address);
        location.reload(); // to the sign-in, and back here
      } else show(asked, answer);
    });
  });
}
