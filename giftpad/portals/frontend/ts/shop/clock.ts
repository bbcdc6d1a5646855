/** The clock on the green screen runs, so that a picture of a screen is no payment. */
import { zone } from "./screens";

/** Start the clock of a result. */
export function startResult(screen: HTMLElement): (() => void) | void {
  const clock = screen.querySelector<HTMLElement>("[data-clock]");
  if (clock === null) return;
  const ja = document.documentElement.lang === "ja";
  const parts: Intl.DateTimeFormatOptions = ja
    ? { hour: "numeric", minute: "numeric", second: "numeric" }
    : { hour: "numeric", minute: "2-digit", second: "2-digit" };
  const format = new Intl.DateTimeFormat(ja ? "ja" : "en", {
    ...parts,
    hourCycle: "h23",
    timeZone: zone(),
  });
  const show = (): void => {
    clock.textContent = format.format(new Date());
  };
  show();
  const timer = window.setInterval(show, 1000);
  return () => window.clearInterval(timer);
}
