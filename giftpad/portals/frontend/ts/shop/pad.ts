/** The keys for an amount: large keys, the keyboard's own, and what it would leave. */
import { say } from "../page";
import { go } from "./screens";
import { SETTLED, list } from "./store";
import { clockOf, yen } from "./words";

const DIGITS_MAX = 7;

const SIGNS = /[円¥\\\s]/g;
const COMMAS = /[,、]/g;
const WHOLE = /^(\d{1,3}([,、]\d{3})+|\d+)$/;

/**
 * The digits of an amount as portals/numbers.py reads it on the server, empty if there are none; null if what was typed is
 * no amount: commas stand before three digits only, so that 1,5 is not fifteen.
 */
function digits(text: string): string | null {
  const plain = text.normalize("NFKC").replace(SIGNS, "");
  if (plain === "") return "";
  const held = plain.replace(COMMAS, "").replace(/^0+/, "");
  return WHOLE.test(plain) && held.length <= DIGITS_MAX ? held : null;
}

/** The same of what this pad has grouped, where one sign was typed or taken away since. */
function regroup(event: Event, text: string): string | null {
  const isPut = event instanceof InputEvent && /^insertFrom/.test(event.inputType);
  if (isPut || (event instanceof InputEvent && /[,、]/.test((event.data ?? "").normalize("NFKC")))) return digits(text);
  const plain = text.normalize("NFKC").replace(SIGNS, "").replace(COMMAS, "");
  return digits(plain.slice(0, DIGITS_MAX));
}

/** Warn of a payment with this coupon whose answer was lost, until it is known that it failed. */
function warn(screen: HTMLElement, serial: string): void {
  const place = screen.querySelector<HTMLElement>("[data-open-doubt]");
  if (place === null) return;
  // Coupons without a number are all alike here: better one warning too many.
  const same = list().filter((asked) => asked.serial === serial && asked.ended !== "refused");
  const asked = same.find((each) => each.ended === undefined) ?? same[same.length - 1];
  const isTold = asked?.ended === "accepted" && screen.querySelector("[data-just-paid]") !== null;
  place.hidden = asked === undefined || isTold;
  if (asked === undefined) return;
  for (const text of place.querySelectorAll<HTMLElement>("[data-said]")) {
    text.hidden = text.dataset["said"] !== (asked.ended ?? "open");
    text.dataset["text"] ??= text.textContent ?? "";
    text.textContent = (text.dataset["text"] ?? "")
      .replace("{amount}", yen(Number(asked.amount)))
      .replace("{time}", clockOf(asked.at));
  }
}

/** Start the pad. */
export function startPad(screen: HTMLElement): (() => void) | void {
  const form = screen.querySelector<HTMLFormElement>("form[data-pad]");
  const input = screen.querySelector<HTMLInputElement>("#amount");
  const hint = screen.querySelector<HTMLElement>("#amount-hint");
  const button = form?.querySelector<HTMLButtonElement>("[data-go]");
  if (form === null || input === null || hint === null || !button) return;
  const left = Number(form.dataset["left"]);
  const ceiling = Number(form.dataset["ceiling"]) || Infinity;
  const plain = button.textContent ?? "";
  let isFresh = true;
  let isGrouped = true;
  input.inputMode = "none"; // our keys stand below, the phone's would cover them

  const show = (typed: string): void => {
    const amount = Number(typed);
    input.value = typed === "" ? "" : new Intl.NumberFormat("en").format(amount);
    const over = say("over").replace("{amount}", yen(amount - left));
    hint.textContent = amount > ceiling ? say("over-ceiling") : amount > left ? over : "";
    hint.dataset["kind"] = hint.textContent === "" ? "" : "ng";
    isGrouped = true;
    const label = amount > 0 ? say("check-amount").replace("{amount}", yen(amount)) : plain.trim();
    const text = button.querySelector("span") ?? button;
    text.textContent = label;
  };
  const refuse = (): void => {
    hint.textContent = say("no-amount");
    hint.dataset["kind"] = "ng";
  };
  const press = (key: string): void => {
    const typed = isFresh && key !== "back" ? "" : (digits(input.value) ?? "");
    isFresh = false;
    show(key === "back" ? typed.slice(0, -1) : (typed + key).replace(/^0+/, "").slice(0, DIGITS_MAX));
  };
  screen.addEventListener("click", (event) => {
    const pressed = event.target instanceof Element ? event.target.closest("button") : null;
    if (pressed === null) return;
    const { key, amount } = pressed.dataset;
    if (key !== undefined) press(key);
    else if (amount !== undefined) {
      isFresh = true;
      show(amount);
    }
  });
  input.addEventListener("input", (event) => {
    isFresh = false;
    const typed = isGrouped ? regroup(event, input.value) : digits(input.value);
    if (typed !== null) show(typed);
    else {
      isGrouped = false; // what stands there is left as it was typed
      refuse();
    }
  });
  screen.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      isFresh = true;
      show("");
      input.focus();
    } else if (/^\d$/.test(event.key) && document.activeElement !== input) {
      event.preventDefault();
      press(event.key);
    } else if (event.key === "Backspace" && document.activeElement !== input) {
      event.preventDefault();
      press("back");
    } else if (isFresh && document.activeElement === input && /^\d$/.test(event.key)) {
      input.value = ""; // the first key replaces what stood there
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const amount = digits(input.value);
    if (!amount) {
      refuse();
      input.focus();
      return;
    }
    void go(`${form.action}?amount=${amount}`);
  });
  if (input.value !== "") show(digits(input.value) ?? "");
  const warnNow = (): void => warn(screen, form.dataset["serial"] ?? "");
  warnNow();
  document.addEventListener(SETTLED, warnNow);
  return () => document.removeEventListener(SETTLED, warnNow);
}
