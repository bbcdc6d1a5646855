/**
 * What this device remembers of payments whose answer was lost: the sealed address, the amount,
 * and what to call it by.  Nothing of it can pay by itself, and no code is in it.
 */
export interface Asked {
  address: string;
  amount: string;
  serial: string;
  at: number;
  ended?: "accepted" | "refused";
}

/** Told to the page when one of them has become certain. */
export const SETTLED = "gp:settled";
const NAME = "gp-asked";
const KEPT_MS = 30 * 24 * 3600 * 1000;
let memory: Asked[] = [];

function isAsked(value: unknown): value is Asked {
  if (typeof value !== "object" || value === null) return false;
  const asked = value as Record<string, unknown>;
  return (
    typeof asked["address"] === "string" &&
    asked["address"].startsWith("/shop/pay/") &&
    typeof asked["amount"] === "string" &&
    typeof asked["serial"] === "string" &&
    typeof asked["at"] === "number"
  );
}

/** Everything that is not certain, or not seen to be, oldest first. */
export function list(): Asked[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(NAME) ?? "[]");
    if (Array.isArray(kept)) memory = kept.filter(isAsked);
  } catch {
    // a browser that keeps nothing: what this page remembers must do
  }
  return memory.filter((asked) => Date.now() - asked.at < KEPT_MS);
}

function keep(all: Asked[]): void {
  memory = all;
  try {
    localStorage.setItem(NAME, JSON.stringify(all));
  } catch {
    // as above
  }
}

/** Remember before it is sent: whatever happens to this page, it can be asked about. */
export function remember(asked: Asked): void {
  keep([...list().filter((other) => other.address !== asked.address), asked]);
}

/** Forget what has become certain and was shown. */
export function forget(address: string): void {
  keep(list().filter((asked) => asked.address !== address));
}

/** What is remembered of a reading, if anything. */
export function find(address: string): Asked | undefined {
  return list().find((asked) => asked.address === address);
}
