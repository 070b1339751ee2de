// An application that uses oauth4webapi, which nobody here wrote; it validates every answer by the RFCs by itself.
//
// Usage: node client.mjs FLOW, with ISSUER, AUDIENCE, CLIENT_ID, CLIENT_SECRET (blank: public) and REDIRECT_URI in the
// environment. What a person has to do is a JSON line on stdout; the answer is read as a line from stdin. The last line
// says what was achieved. Any refusal ends the process with an error.

import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import * as oauth from "oauth4webapi";

const { ISSUER, AUDIENCE, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI } = process.env;
const options = { [oauth.allowInsecureRequests]: true }; // the server listens on loopback, without TLS
const issuer = new URL(ISSUER);
const client = { client_id: CLIENT_ID };
const authentication = CLIENT_SECRET ? oauth.ClientSecretBasic(CLIENT_SECRET) : oauth.None();
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const say = (what) => console.log(JSON.stringify(what));
const ask = async (what) => {
  say(what);
  return (await answers.next()).value;
};

const server = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { ...options, algorithm: "oauth2" }),
);

/** Validates an access token by RFC 9068, as an API that gets it would; returns its claims. */
const validated = (token) =>
  oauth.validateJwtAccessToken(
    server,
    new Request(AUDIENCE, { headers: { authorization: `Bearer ${token}` } }),
    AUDIENCE,
    options,
  );

const refreshed = async (tokens) =>
  oauth.processRefreshTokenResponse(
    server,
    client,
    await oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token, options),
  );

const revoke = async (token) =>
  oauth.processRevocationResponse(await oauth.revocationRequest(server, client, authentication, token, options));

/** Fails unless the server refuses with this error of RFC 6749 or RFC 8628. */
const refused = (code, attempt) => assert.rejects(attempt, { code: oauth.RESPONSE_BODY_ERROR, error: code });

/** Authorization code with PKCE; returns the tokens. */
async function authorize(scope) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const address = new URL(server.authorization_endpoint);
  const request = {
    response_type: "code",
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    scope,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(request)) address.searchParams.set(name, value);
  const back = new URL(await ask({ open: address.href }));
  const response = oauth.validateAuthResponse(server, client, back, state); // also checks `iss`, RFC 9207
  return oauth.processAuthorizationCodeResponse(
    server,
    client,
    await oauth.authorizationCodeGrantRequest(
      server, client, authentication, response, REDIRECT_URI, verifier, options,
    ),
  );
}

const flows = {
  /** Log in, call the API, refresh, log out. */
  async code() {
    const first = await authorize("users:read");
    const claims = await validated(first.access_token);
    const called = await oauth.protectedResourceRequest(
      first.access_token, "GET", new URL(`${AUDIENCE}/users`), undefined, undefined, options,
    );
    assert.equal(called.status, 200);
    const second = await refreshed(first);
    assert.notEqual(second.refresh_token, first.refresh_token);
    await validated(second.access_token);
    await revoke(second.refresh_token);
    await refused("invalid_grant", () => refreshed(second));
    const after = oauth.protectedResourceRequest(
      second.access_token, "GET", new URL(`${AUDIENCE}/users`), undefined, undefined, options,
    );
    await assert.rejects(after, { code: oauth.WWW_AUTHENTICATE_CHALLENGE, status: 401 });
    return { sub: claims.sub, client_id: claims.client_id, scope: claims.scope };
  },

  /** A person who says no. */
  async denied() {
    await assert.rejects(authorize("users:read"), {
      code: oauth.AUTHORIZATION_RESPONSE_ERROR,
      error: "access_denied",
    });
    return {};
  },

  /** No person: the application itself. */
  async client_credentials() {
    const parameters = new URLSearchParams({ scope: "products:read" });
    const tokens = await oauth.processClientCredentialsResponse(
      server,
      client,
      await oauth.clientCredentialsGrantRequest(server, client, authentication, parameters, options),
    );
    const claims = await validated(tokens.access_token);
    const seen = async () =>
      oauth.processIntrospectionResponse(
        server,
        client,
        await oauth.introspectionRequest(server, client, authentication, tokens.access_token, options),
      );
    const before = await seen();
    await revoke(tokens.access_token);
    const after = await seen();
    return { sub: claims.sub, scope: claims.scope, before: before.active, after: after.active };
  },

  /** A program without a browser; the person goes to one. */
  async device() {
    const told = await oauth.processDeviceAuthorizationResponse(
      server,
      client,
      await oauth.deviceAuthorizationRequest(server, client, authentication, { scope: "users:read" }, options),
    );
    const poll = async () =>
      oauth.processDeviceCodeResponse(
        server,
        client,
        await oauth.deviceCodeGrantRequest(server, client, authentication, told.device_code, options),
      );
    await refused("authorization_pending", poll);
    await refused("slow_down", poll);
    await ask({ enter: told.user_code, at: told.verification_uri, open: told.verification_uri_complete });
    const tokens = await poll();
    const claims = await validated(tokens.access_token);
    await refused("invalid_grant", poll);
    return { sub: claims.sub, scope: claims.scope };
  },
};

say({ done: await flows[process.argv[2]]() });
process.exit(0);
