/** The service worker: assets and one page without a network, and word of a new version. */
const SCRIPT = "/shop/sw.js";
const SCOPE = "/shop";

function offer(waiting: ServiceWorker): void {
  const template = document.getElementById("m-update");
  const quiet = document.querySelector("[data-screen=scan], [data-screen=today]");
  if (!(template instanceof HTMLTemplateElement) || quiet === null) return;
  if (document.querySelector(".gp-update") !== null) return;
  document.getElementById("main")?.append(template.content.cloneNode(true));
  document.querySelector(".gp-update [data-act=update]")?.addEventListener("click", () => {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload());
    waiting.postMessage("take over");
  });
}

/** Install the service worker where there can be one. */
export async function install(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  try {
    const found = await navigator.serviceWorker.register(SCRIPT, { scope: SCOPE });
    if (found.waiting !== null && navigator.serviceWorker.controller !== null) offer(found.waiting);
    found.addEventListener("updatefound", () => {
      const next = found.installing;
      next?.addEventListener("statechange", () => {
        if (next.state === "installed" && navigator.serviceWorker.controller !== null) offer(next);
      });
    });
  } catch {
    // without one the app works as well, only not without a network
  }
}
