/** The shop app. */
import "../css/screens/till.css";
import { begin as beginPage } from "./page";
import { startResult } from "./shop/clock";
import { beginDoubts } from "./shop/doubts";
import { install } from "./shop/install";
import { startPad } from "./shop/pad";
import { startConfirm } from "./shop/pay";
import { startScan, startTyped, watchLine } from "./shop/scan";
import { begin, on, watch } from "./shop/screens";
import { listen } from "./shop/sound";

beginPage();
listen();
on("scan", startScan);
on("refused", startTyped);
on("pad", startPad);
on("confirm", startConfirm);
on("accepted", startResult);
on("offline", () => {
  // The page kept for this has no token to ask with: what it stands for is loaded instead.
  window.addEventListener("online", () => location.reload());
});
on("unanswered", () => {
  // Loaded again it would be sent again: the list tells what came of it.
  window.addEventListener("online", () => location.assign("/shop/today"));
});
watch();
begin();
watchLine();
beginDoubts();
void install();

document.addEventListener("click", (event) => {
  const pressed = event.target instanceof Element ? event.target.closest("[data-act=reload]") : null;
  if (pressed === null) return;
  event.preventDefault();
  location.reload();
});
