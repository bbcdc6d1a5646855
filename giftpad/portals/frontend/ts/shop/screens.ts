/**
 * The screens of the till: each comes from the server as a whole, and a script puts it in place of
 * the one before, so that camera and sound stay switched on from customer to customer.
 */
import { reveal, say, tell } from "../page";
import { play } from "./sound";

/** Starts a screen; what it returns ends it. */
export type Starter = (screen: HTMLElement) => (() => void) | void;

/** Told to the page whenever another screen is shown. */
export const SHOWN = "gp:shown";
const PATIENCE_MS = 15_000;
const GUARD_MS = 600;
const SIGNED_OUT = 401;
const starters = new Map<string, Starter>();
let end: (() => void) | void;
let shownAt = 0;
let walk = 0;

/** Say what starts when the screen called so is shown. */
export function on(name: string, start: Starter): void {
  starters.set(name, start);
}

function main(): HTMLElement {
  const found = document.getElementById("main");
  if (found === null) throw new Error("a page without main");
  return found;
}

/** What every form must carry, as the page was given it. */
export function token(): string {
  return document.querySelector<HTMLElement>("[data-csrf]")?.dataset["csrf"] ?? "";
}

/** The zone in which the shop's clock is told. */
export function zone(): string {
  return document.querySelector<HTMLElement>("[data-zone]")?.dataset["zone"] ?? "Asia/Tokyo";
}

/** Begin what the page shows now. */
export function begin(): void {
  end?.();
  end = undefined;
  shownAt = performance.now();
  reveal();
  const screen = document.querySelector<HTMLElement>("[data-screen]");
  if (screen === null) return;
  end = starters.get(screen.dataset["screen"] ?? "")?.(screen);
  const tone = screen.dataset["tone"];
  if (tone === "accepted" || tone === "refused" || tone === "doubt") play(tone);
  screen.querySelector<HTMLElement>("[data-focus]")?.focus({ preventScroll: true });
}

/** Put a screen in place of the one shown; with an address it is what a reload would show. */
export function put(content: string | DocumentFragment, address?: string, push = false): void {
  const held = document.createElement("template");
  if (typeof content === "string") held.innerHTML = content;
  else held.content.append(content);
  walk += 1;
  end?.();
  end = undefined;
  main().replaceChildren(held.content);
  const title = document.querySelector<HTMLElement>("[data-screen]")?.dataset["title"];
  if (title !== undefined) document.title = [title, ...document.title.split(" - ").slice(1)].join(" - ");
  if (address !== undefined) {
    if (push) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  }
  window.scrollTo(0, 0);
  begin();
  document.dispatchEvent(new Event(SHOWN));
}

/** Whether what came is one of our screens, and not what somebody in between has made. */
export function isScreen(html: string): boolean {
  const held = document.createElement("template");
  held.innerHTML = html;
  return held.content.querySelector("[data-screen], .gp-problem") !== null;
}

/** What came for a screen, read to its end. */
export interface Fetched {
  html: string;
  status: number;
  /** Where it came from, after all redirects. */
  url: string;
  redirected: boolean;
  headers: Headers;
}

/** Ask for a screen; null if no answer came, or did not come whole, within the time for it. */
export async function fetchScreen(address: string, body?: URLSearchParams): Promise<Fetched | null> {
  const stop = new AbortController();
  const timer = window.setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const response = await fetch(address, {
      method: body === undefined ? "GET" : "POST",
      headers: { "HX-Request": "true", "X-CSRF-Token": token(), Accept: "text/html" },
      signal: stop.signal,
      ...(body === undefined ? {} : { body }),
    });
    const { status, url, redirected, headers } = response;
    return { html: await response.text(), status, url, redirected, headers };
  } catch {
    return null;
  } finally {
    window.clearTimeout(timer);
  }
}

/** Go to a screen; without a network stay and say that nothing was sent. */
export async function go(address: string, body?: URLSearchParams, push = true): Promise<boolean> {
  const mine = ++walk;
  const response = await fetchScreen(address, body);
  if (mine !== walk) return true; // somebody went elsewhere meanwhile
  if (response === null || !isScreen(response.html)) {
    tell(say("not-sent"), "error");
    play("refused");
    return false;
  }
  if (response.status === SIGNED_OUT) {
    location.assign(body === undefined ? address : "/shop");
    return true;
  }
  tell("");
  // What a form was answered with in place has no address of its own: a reload begins anew.
  const answered = body !== undefined && !response.redirected;
  put(response.html, answered ? "/shop" : response.url, push && !answered);
  return true;
}

/** The camera may be used in place only where this document was allowed the scanner. */
function mayScanHere(): boolean {
  return main().dataset["scans"] !== undefined;
}

/** Follow links between screens in place, and let Enter press the main button of a result. */
export function watch(): void {
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null) return;
    const toScan = link.dataset["scanLink"] !== undefined;
    if (!(link.dataset["swap"] !== undefined || (toScan && mayScanHere()))) return;
    event.preventDefault();
    void go(link.href);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.repeat || event.defaultPrevented) return;
    if (performance.now() - shownAt < GUARD_MS) return;
    const at = document.activeElement;
    if (at !== null && at !== document.body && at.tagName !== "H1") return;
    document.querySelector<HTMLElement>("[data-screen] [data-main]")?.click();
  });
  window.addEventListener("popstate", () => {
    if (location.pathname === "/shop" && !mayScanHere()) location.reload();
    else void go(location.href, undefined, false).then((went) => went || location.reload());
  });
  // A page out of the browser's memory may be hours old: what it shows is asked for again.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}
