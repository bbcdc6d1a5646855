/** Amounts and hours as the pages write them. */
import { say } from "../page";
import { zone } from "./screens";

/** An amount as the page writes it. */
export function yen(amount: number): string {
  return say("yen").replace("{n}", new Intl.NumberFormat("en").format(amount));
}

/** The hour and minute by the shop's clock. */
export function clockOf(at: number): string {
  const shown: Intl.DateTimeFormatOptions = { hour: "numeric", minute: "2-digit", hourCycle: "h23" };
  return new Intl.DateTimeFormat("en", { ...shown, timeZone: zone() }).format(at);
}
