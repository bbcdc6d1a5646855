/// <reference lib="webworker" />
/**
 * The service worker of the shop app.  It keeps what was built, whose names change with their
 * content, and the pages shown without a network; it never keeps a page with data.  The server
 * writes what to keep before this program.
 */
export {};

declare const self: ServiceWorkerGlobalScope & { giftpad: { version: string; kept: string[] } };

const PREFIX = "giftpad-shop-";
const NAME = PREFIX + self.giftpad.version;
const OFFLINE = "/shop/offline";
/** The same for a form that was sent: only the answer may have been lost, so it does not say that nothing was sent. */
const UNANSWERED = "/shop/offline?sent=1";
const ASSETS = "/assets/";

self.addEventListener("install", (event) => {
  event.waitUntil(keepAll());
});
self.addEventListener("activate", (event) => {
  event.waitUntil(dropOld());
});
self.addEventListener("message", (event) => {
  if (event.data === "take over") void self.skipWaiting();
});
self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (address.origin !== self.location.origin) return;
  if (event.request.mode === "navigate") event.respondWith(fromNetwork(event.request));
  else if (event.request.method === "GET" && address.pathname.startsWith(ASSETS)) {
    event.respondWith(fromCache(event.request));
  }
});

async function keepAll(): Promise<void> {
  const cache = await caches.open(NAME);
  const headers = { "HX-Request": "true" }; // a part of the app asks, nobody's notice is taken away
  await Promise.all(
    self.giftpad.kept.map(async (address) => {
      const mode = address.startsWith(ASSETS) ? "default" : "reload";
      const answer = await fetch(new Request(address, { headers, cache: mode }));
      if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
      await cache.put(address, answer);
    }),
  );
}

async function dropOld(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== NAME);
  await Promise.all(old.map((name) => caches.delete(name)));
}

async function fromNetwork(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch {
    const isAsked = request.method === "GET" || request.method === "HEAD";
    return (await caches.match(isAsked ? OFFLINE : UNANSWERED)) ?? Response.error();
  }
}

async function fromCache(request: Request): Promise<Response> {
  const kept = await caches.match(request.url);
  if (kept !== undefined) return kept;
  const answer = await fetch(request);
  if (answer.ok) await (await caches.open(NAME)).put(request.url, answer.clone());
  return answer;
}
