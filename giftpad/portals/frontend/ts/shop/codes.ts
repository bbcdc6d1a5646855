/**
 * Typed codes, judged before anything is sent: 15 signs of Crockford's base32 and a check sign
 * over GF(32), the same as giftpad/kernel/codes.py.
 */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 16;
const POLYNOMIAL = 0b100101;
const TAIL = /\/Q\/[0-9A-HJKMNP-TV-Z]{36}$/;
const SERIAL = /^[A-Z][A-Z0-9]*\d$/;
const DASHES = /[-\u2010-\u2015\u2212\u30fc\uff0d\uff70\s]/g;
const FORGIVEN: Record<string, string> = { I: "1", L: "1", O: "0" };

function timesAlpha(value: number): number {
  const doubled = value << 1;
  return doubled & 32 ? doubled ^ POLYNOMIAL : doubled;
}

const EXPONENT: number[] = [];
for (let value = 1, power = 0; power < 31; power += 1, value = timesAlpha(value)) EXPONENT.push(value);
const LOGARITHM = new Map(EXPONENT.map((value, power) => [value, power]));

function multiply(left: number, right: number): number {
  const first = LOGARITHM.get(left);
  const second = LOGARITHM.get(right);
  return first === undefined || second === undefined ? 0 : (EXPONENT[(first + second) % 31] ?? 0);
}

function checkSign(signs: string): string {
  let total = 0;
  [...signs].forEach((sign, index) => {
    total ^= multiply(EXPONENT[(index + 1) % 31] ?? 0, ALPHABET.indexOf(sign));
  });
  return ALPHABET[total] ?? "";
}

/** The 16 signs of a code typed by hand; null if it cannot be one. */
export function parseTyped(text: string): string | null {
  const folded = text.normalize("NFKC").toUpperCase().replace(DASHES, "");
  const signs = [...folded].map((sign) => FORGIVEN[sign] ?? sign).join("");
  if (signs.length !== LENGTH || [...signs].some((sign) => !ALPHABET.includes(sign))) return null;
  return checkSign(signs.slice(0, -1)) === signs.slice(-1) ? signs : null;
}

/** Whether somebody typed the "No." of a coupon: it is printed too, but pays nothing. */
export function looksLikeSerial(text: string): boolean {
  const folded = text.normalize("NFKC").toUpperCase().replace(DASHES, "");
  return folded.length !== LENGTH && SERIAL.test(folded);
}

/** Whether a text has the form of a coupon's QR; only the server can tell a genuine one. */
export function looksLikeQr(text: string): boolean {
  return TAIL.test(text);
}
