/**
 * Passkeys: a form that carries a question for them is sent with their answer.
 * The question stands in the form as JSON, with bytes in base64url; so does the answer.
 */
import { say } from "./page";

type Json = Record<string, unknown>;

const bytes = (text: string): ArrayBuffer => {
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const made = new Uint8Array(new ArrayBuffer(raw.length));
  for (let at = 0; at < raw.length; at += 1) made[at] = raw.charCodeAt(at);
  return made.buffer;
};

const text = (buffer: ArrayBuffer | null): string => {
  const raw = String.fromCharCode(...new Uint8Array(buffer ?? new ArrayBuffer(0)));
  return btoa(raw).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};

const known = (list: unknown): PublicKeyCredentialDescriptor[] =>
  ((list ?? []) as { id: string }[]).map(({ id }) => ({ type: "public-key", id: bytes(id) }));

async function make(asked: Json): Promise<Json | null> {
  const user = asked["user"] as { id: string; name: string; displayName: string };
  const options = {
    ...asked,
    challenge: bytes(asked["challenge"] as string),
    user: { ...user, id: bytes(user.id) },
    excludeCredentials: known(asked["excludeCredentials"]),
  } as unknown as PublicKeyCredentialCreationOptions;
  const made = (await navigator.credentials.create({ publicKey: options })) as PublicKeyCredential | null;
  if (made === null) return null;
  const response = made.response as AuthenticatorAttestationResponse;
  return whole(made, {
    clientDataJSON: text(response.clientDataJSON),
    attestationObject: text(response.attestationObject),
  });
}

async function answer(asked: Json): Promise<Json | null> {
  const options = {
    ...asked,
    challenge: bytes(asked["challenge"] as string),
    allowCredentials: known(asked["allowCredentials"]),
  } as unknown as PublicKeyCredentialRequestOptions;
  const given = (await navigator.credentials.get({ publicKey: options })) as PublicKeyCredential | null;
  if (given === null) return null;
  const response = given.response as AuthenticatorAssertionResponse;
  return whole(given, {
    clientDataJSON: text(response.clientDataJSON),
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
    userHandle: response.userHandle === null ? null : text(response.userHandle),
  });
}

const whole = (credential: PublicKeyCredential, response: Json): Json => ({
  id: credential.id,
  rawId: text(credential.rawId),
  type: credential.type,
  response,
});

/** Where a browser knows passkeys their forms show; the others never learn of them. */
export function offerPasskeys(): void {
  if (!("PublicKeyCredential" in window)) return;
  for (const part of document.querySelectorAll<HTMLElement>("[data-passkey-part]")) part.hidden = false;
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-passkey]")) {
    form.hidden = false;
    let isAnswered = false;
    form.addEventListener("submit", (event) => {
      if (isAnswered) return;
      event.preventDefault();
      event.stopImmediatePropagation(); // it is not sent yet: the person touches their key first
      const asked = JSON.parse(form.dataset["options"] ?? "{}") as Json;
      const failed = form.querySelector<HTMLElement>("[data-passkey-failed]");
      (form.dataset["passkey"] === "make" ? make(asked) : answer(asked))
        .then((given) => {
          if (given === null) throw new Error("nothing");
          (form.elements.namedItem("answer") as HTMLInputElement).value = JSON.stringify(given);
          isAnswered = true;
          form.requestSubmit();
        })
        .catch(() => {
          if (failed !== null) failed.textContent = say("passkey-failed");
        });
    });
  }
}
