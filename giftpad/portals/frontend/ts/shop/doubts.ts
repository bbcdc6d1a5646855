/**
 * Payments that are not certain, on top of the till and of today's list: each is asked about until
 * it is, wherever one is in the app, also after a reload or a sleep.
 */
import { ask } from "./ask";
import { SHOWN, token } from "./screens";
import { SETTLED, find, forget, list, remember, type Asked } from "./store";
import { clockOf, yen } from "./words";

const PAUSES_S = [1, 2, 4, 8, 15];
/** Where they are shown: not while somebody types an amount or reads a result. */
const PLACES = ["scan", "today", "offline", "unanswered"].map((name) => `[data-screen=${name}]`).join();
const turned = new Set<string>();
let timer = 0;
let round = 0;

/** Whether the yellow screen is shown: it asks by itself. */
function isAskedElsewhere(): boolean {
  return document.querySelector("[data-screen=doubt]") !== null;
}

function row(asked: Asked): DocumentFragment | null {
  const template = document.getElementById("m-doubt-row");
  if (!(template instanceof HTMLTemplateElement)) return null;
  const made = template.content.cloneNode(true) as DocumentFragment;
  const fill = (name: string, text: string): void => {
    const place = made.querySelector(`[data-${name}]`);
    if (place !== null) place.textContent = text;
  };
  fill("time", clockOf(asked.at));
  fill("serial", asked.serial);
  fill("amount", yen(Number(asked.amount)));
  const said = asked.ended ?? (turned.has(asked.address) ? "turned" : "asking");
  made.querySelector<HTMLElement>("[data-kind]")?.setAttribute("data-kind", asked.ended ?? "doubt");
  for (const text of made.querySelectorAll<HTMLElement>("[data-said]")) {
    text.hidden = text.dataset["said"] !== said;
  }
  const again = made.querySelector<HTMLElement>("[data-act=ask]");
  const seen = made.querySelector<HTMLElement>("[data-act=seen]");
  if (again !== null) again.hidden = asked.ended !== undefined;
  if (seen !== null) seen.hidden = asked.ended === undefined && said !== "turned";
  again?.addEventListener("click", () => {
    turned.delete(asked.address);
    void settle(asked).then(draw);
  });
  seen?.addEventListener("click", () => {
    forget(asked.address);
    draw();
  });
  return made;
}

function draw(): void {
  const place = document.getElementById("gp-doubts");
  const rows = place?.querySelector("ul");
  if (place === null || rows === null || rows === undefined) return;
  const all = document.querySelector(PLACES) === null ? [] : list();
  rows.replaceChildren(...all.map(row).filter((made) => made !== null));
  place.hidden = all.length === 0;
}

/** Ask once about one of them; what it learns is kept until somebody has seen it. */
async function settle(asked: Asked): Promise<boolean> {
  const answer = await ask(asked, true);
  if (answer.kind === "lost") return false;
  if (answer.kind === "turned") turned.add(asked.address);
  else if (find(asked.address) !== undefined) {
    remember({ ...asked, ended: answer.kind });
    document.dispatchEvent(new Event(SETTLED));
  }
  return true;
}

function open(): Asked[] {
  return list().filter((asked) => asked.ended === undefined && !turned.has(asked.address));
}

async function askAll(): Promise<void> {
  window.clearTimeout(timer);
  if (isAskedElsewhere() || token() === "") return;
  for (const asked of open()) await settle(asked);
  draw();
  if (open().length > 0) plan();
  else round = 0;
}

function plan(): void {
  window.clearTimeout(timer);
  const pause = PAUSES_S[Math.min(round, PAUSES_S.length - 1)] ?? 15;
  round += 1;
  timer = window.setTimeout(() => void askAll(), pause * 1000);
}

/** Show what is not certain and go on asking; on the yellow screen that screen asks. */
function watchDoubts(): void {
  draw();
  window.clearTimeout(timer);
  if (!isAskedElsewhere() && open().length > 0) {
    round = 0;
    plan();
  }
}

/** Begin, and begin again when the network or the page comes back. */
export function beginDoubts(): void {
  watchDoubts();
  document.addEventListener(SHOWN, watchDoubts);
  window.addEventListener("online", () => void askAll());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) watchDoubts();
  });
}
