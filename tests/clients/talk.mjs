// How a client talks with the test that drives it: a line of JSON each way.

import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** What the test has said at the start: issuer, clients, addresses. */
export const given = JSON.parse(process.argv[2]);

/** Send a person to an address, and return where they came back to. */
export async function visit(address) {
  console.log(JSON.stringify({ visit: String(address) }));
  const { value } = await lines.next();
  return new URL(JSON.parse(value).location);
}

/** Tell the test something that it looks at. */
export function tell(found) {
  console.log(JSON.stringify({ tell: found }));
}

/** Expect a refusal, and return it. */
export async function refused(work) {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was refused");
}

/** Say that all went well, and end. */
export function done() {
  console.log(JSON.stringify({ done: true }));
  process.exit(0);
}
