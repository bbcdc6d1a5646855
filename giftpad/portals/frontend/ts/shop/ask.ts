/**
 * Sending a payment, and sending the very same again until an answer comes.  The address carries
 * the key, so however often it is sent it pays once.
 */
import { fetchScreen, isScreen } from "./screens";
import type { Asked } from "./store";

export type Answer =
  | { kind: "accepted" | "refused"; html: string; address?: string }
  | { kind: "turned"; html: string; status: number }
  | { kind: "lost" };

const PATIENT = new Set([408, 409, 425, 429]);
const FIRST_SERVER_FAULT = 500;
const underWay = new Map<string, Promise<Answer>>();

async function send(asked: Asked, isAgain: boolean): Promise<Answer> {
  const body = new URLSearchParams({ amount: asked.amount, confirm: "1" });
  if (isAgain) body.set("again", "1");
  const response = await fetchScreen(asked.address, body);
  if (response === null) return { kind: "lost" };
  const { html } = response;
  const outcome = response.headers.get("X-Giftpad-Outcome");
  if (outcome === "accepted" || outcome === "refused") {
    const address = response.headers.get("X-Giftpad-Address");
    return address === null ? { kind: outcome, html } : { kind: outcome, html, address };
  }
  if (PATIENT.has(response.status) || response.status >= FIRST_SERVER_FAULT || !isScreen(html)) {
    return { kind: "lost" };
  }
  return { kind: "turned", html, status: response.status };
}

/** Send it once; what is pressed while it is under way waits for the same answer. */
export function ask(asked: Asked, isAgain: boolean): Promise<Answer> {
  const running = underWay.get(asked.address);
  if (running !== undefined) return running;
  const answer = send(asked, isAgain).finally(() => underWay.delete(asked.address));
  underWay.set(asked.address, answer);
  return answer;
}
