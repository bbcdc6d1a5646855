// openid-client: sign-in, who it is, refresh, a token shown twice, giving back, signing out; a machine.

import * as client from "openid-client";

import { done, given, refused, tell, visit } from "./talk.mjs";

const options = { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] };
const issuer = new URL(given.issuer);
const web = await client.discovery(issuer, given.web.client_id, given.web.client_secret, undefined, options);

async function signIn(more = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const checks = { pkceCodeVerifier: verifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() };
  const address = client.buildAuthorizationUrl(web, {
    redirect_uri: given.callback,
    scope: "openid profile email offline_access",
    audience: given.audience,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...more,
  });
  return client.authorizationCodeGrant(web, await visit(address), { ...checks, idTokenExpected: true });
}

const first = await signIn();
const claims = first.claims();
const known = await client.fetchUserInfo(web, first.access_token, claims.sub);
tell({ email: known.email, org: claims.org_id, expires: first.expires_in });

const second = await client.refreshTokenGrant(web, first.refresh_token);
if (second.refresh_token === first.refresh_token) throw new Error("the refresh token stayed the same");
await client.fetchUserInfo(web, second.access_token, claims.sub);

const reuse = await refused(() => client.refreshTokenGrant(web, first.refresh_token));
const family = await refused(() => client.refreshTokenGrant(web, second.refresh_token));
tell({ reuse: reuse.error, family: family.error });

const third = await signIn();
await client.tokenRevocation(web, third.refresh_token);
const revoked = await refused(() => client.refreshTokenGrant(web, third.refresh_token));
tell({ revoked: revoked.error });

const machine = await client.discovery(
  issuer, given.machine.client_id, given.machine.client_secret, undefined, options);
const token = await client.clientCredentialsGrant(machine);
tell({ machine: token.access_token });

const fourth = await signIn();
const out = client.buildEndSessionUrl(web, {
  post_logout_redirect_uri: given.goodbye,
  id_token_hint: fourth.id_token,
  state: "bye",
});
const left = await visit(out);
tell({ left: left.href });
const none = await refused(() => signIn({ prompt: "none" }));
tell({ none: none.error });
done();
