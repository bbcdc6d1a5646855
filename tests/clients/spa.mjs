// @auth0/auth0-spa-js: what a page in a browser does, with the few globals of one that it asks for.

import { done, given, refused, tell, visit } from "./talk.mjs";

// As in a browser, what is kept shows as properties.
class Storage {
  getItem(name) { return Object.hasOwn(this, name) ? this[name] : null; }
  setItem(name, value) { this[name] = String(value); }
  removeItem(name) { delete this[name]; }
}

const { atob, btoa, crypto, setTimeout, clearTimeout, setInterval, clearInterval, TextEncoder } = globalThis;
const page = {
  ...{ atob, btoa, crypto, setTimeout, clearTimeout, setInterval, clearInterval, TextEncoder },
  location: new URL(given.callback),
  sessionStorage: new Storage(),
  localStorage: new Storage(),
  addEventListener() {},
  removeEventListener() {},
  history: { replaceState() {} },
};
globalThis.window = page;
globalThis.sessionStorage = page.sessionStorage;
globalThis.localStorage = page.localStorage;
globalThis.document = { cookie: "" };
globalThis.location = page.location;
// A browser says where a script comes from; Node does not.
const bare = globalThis.fetch;
globalThis.fetch = async (address, options = {}) => {
  const headers = { ...Object.fromEntries(new Headers(options.headers)), origin: page.location.origin };
  const answer = await bare(address, { ...options, headers });
  if (answer.headers.get("access-control-allow-origin") !== page.location.origin) {
    throw new TypeError(`a browser would not show the answer of ${address}`);
  }
  return answer;
};

page.fetch = globalThis.fetch;
const { Auth0Client } = await import("@auth0/auth0-spa-js");

function open(more = {}) {
  return new Auth0Client({
    domain: given.issuer.replace(/\/$/, ""),
    clientId: given.spa.client_id,
    useRefreshTokens: true,
    useRefreshTokensFallback: false,
    cacheLocation: "localstorage",
    authorizationParams: {
      redirect_uri: given.callback,
      audience: given.audience,
      scope: "openid profile email",
      organization: given.org_id,
    },
    ...more,
  });
}

let auth0 = open();
let back;
await auth0.loginWithRedirect({ openUrl: async (address) => { back = await visit(address); } });
await auth0.handleRedirectCallback(back.href);
const person = await auth0.getUser();
tell({ email: person.email, org: person.org_id });

const first = await auth0.getTokenSilently();
const second = await auth0.getTokenSilently({ cacheMode: "off" });
tell({ renewed: first !== second });

const form = open({ useFormData: false });
const third = await form.getTokenSilently({ cacheMode: "off" });
tell({ json: third !== second });

let out;
await auth0.logout({
  logoutParams: { returnTo: given.goodbye },
  openUrl: async (address) => { out = await visit(address); },
});
tell({ left: out.href });
const again = await refused(() => open().getTokenSilently());
tell({ again: again.error });
done();
