// express-oauth2-jwt-bearer: an API on Express, normal and strict.

import express from "express";
import { auth } from "express-oauth2-jwt-bearer";

import { done, given, tell } from "./talk.mjs";

async function ask(options, token) {
  const app = express();
  app.use(auth({ issuerBaseURL: given.issuer, audience: given.audience, ...options }));
  app.get("/", (request, response) => response.json(request.auth.payload.sub));
  app.use((error, request, response, next) => response.status(error.status ?? 500).json(error.message));
  const server = await new Promise((ready) => { const made = app.listen(0, "127.0.0.1", () => ready(made)); });
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/`, {
    headers: token ? { authorization: `Bearer ${token}` } : {},
  });
  server.close();
  return answer.status;
}

tell({
  normal: await ask({}, given.token),
  strict: await ask({ strict: true }, given.token),
  nobody: await ask({}, ""),
  wrong: await ask({ audience: "https://other.example/" }, given.token),
});
done();
