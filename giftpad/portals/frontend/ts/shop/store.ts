/**
 * What this device remembers of payments whose answer was lost: the sealed address, the amount,
 * and what to call it by.  Nothing of it can pay by itself, and no code is in it.  A device may serve
 * several shops in turn: each sees its own only.
 */
export interface Asked {
  address: string;
  amount: string;
  serial: string;
  at: number;
  ended?: "accepted" | "refused";
}

interface Kept extends Asked {
  shop: string;
}

/** Told to the page when one of them has become certain. */
export const SETTLED = "gp:settled";
const NAME = "gp-asked";
const SHOP_NAME = "gp-shop";
const KEPT_MS = 30 * 24 * 3600 * 1000;
let memory: Kept[] = [];
let lastShop = "";

/** The shop of the page; one that was kept for being offline names none, and is the last one's. */
function shop(): string {
  const named = document.querySelector<HTMLElement>("[data-shop]")?.dataset["shop"] ?? "";
  try {
    if (named === "") lastShop = localStorage.getItem(SHOP_NAME) ?? lastShop;
    else if (named !== lastShop) localStorage.setItem(SHOP_NAME, named);
  } catch {
    // a browser that keeps nothing: what this page remembers must do
  }
  if (named !== "") lastShop = named;
  return lastShop;
}

function isKept(value: unknown): value is Kept {
  if (typeof value !== "object" || value === null) return false;
  const asked = value as Record<string, unknown>;
  return (
    typeof asked["address"] === "string" &&
    asked["address"].startsWith("/shop/pay/") &&
    typeof asked["amount"] === "string" &&
    typeof asked["serial"] === "string" &&
    typeof asked["at"] === "number" &&
    typeof asked["shop"] === "string"
  );
}

function readAll(): Kept[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(NAME) ?? "[]");
    if (Array.isArray(kept)) memory = kept.filter(isKept);
  } catch {
    // as above
  }
  return memory.filter((asked) => Date.now() - asked.at < KEPT_MS);
}

/** Everything of this shop that is not certain, or not seen to be, oldest first. */
export function list(): Asked[] {
  const here = shop();
  return readAll().filter((asked) => asked.shop === here);
}

function keep(all: Kept[]): void {
  memory = all;
  try {
    localStorage.setItem(NAME, JSON.stringify(all));
  } catch {
    // as above
  }
}

/** Remember before it is sent: whatever happens to this page, it can be asked about. */
export function remember(asked: Asked): void {
  const others = readAll().filter((other) => other.address !== asked.address);
  keep([...others, { ...asked, shop: shop() }]);
}

/** Forget what has become certain and was shown. */
export function forget(address: string): void {
  keep(readAll().filter((asked) => asked.address !== address));
}

/** What is remembered of a reading, if anything. */
export function find(address: string): Asked | undefined {
  return list().find((asked) => asked.address === address);
}
