// oauth4webapi: an API that verifies our access tokens as RFC 9068 has them.

import * as oauth from "oauth4webapi";

import { done, given, refused, tell } from "./talk.mjs";

const options = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(given.issuer);
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));

function asked(token) {
  return new Request("http://localhost/", { headers: { authorization: `Bearer ${token}` } });
}

const claims = await oauth.validateJwtAccessToken(server, asked(given.token), given.audience, options);
tell({ client: claims.client_id, subject: claims.sub });
const other = await refused(() =>
  oauth.validateJwtAccessToken(server, asked(given.token), "https://other.example/", options));
tell({ other: other.name });
done();
