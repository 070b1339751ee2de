// Applications that use `openid-client` and `@badgateway/oauth2-client`, which nobody here wrote.
//
// Usage: node more_clients.mjs FLOW; see client.mjs for the environment and for what goes over stdin and stdout.

import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { OAuth2Client, OAuth2Fetch, generateCodeVerifier } from "@badgateway/oauth2-client";
import * as openid from "openid-client";

const { ISSUER, AUDIENCE, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI } = process.env;
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const say = (what) => console.log(JSON.stringify(what));
const ask = async (what) => {
  say(what);
  return (await answers.next()).value;
};

const discovered = () =>
  openid.discovery(
    new URL(ISSUER),
    CLIENT_ID,
    CLIENT_SECRET || undefined,
    CLIENT_SECRET ? openid.ClientSecretBasic(CLIENT_SECRET) : openid.None(),
    { algorithm: "oauth2", execute: [openid.allowInsecureRequests] }, // on loopback, without TLS
  );

const badgateway = () =>
  new OAuth2Client({
    server: ISSUER,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET || undefined,
    discoveryEndpoint: "/.well-known/oauth-authorization-server",
  });

const flows = {
  /** Log in, call the API, refresh, log out. */
  async openid_code() {
    const config = await discovered();
    const verifier = openid.randomPKCECodeVerifier();
    const state = openid.randomState();
    const address = openid.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT_URI,
      scope: "users:read",
      state,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    });
    const back = new URL(await ask({ open: address.href }));
    const first = await openid.authorizationCodeGrant(config, back, {
      pkceCodeVerifier: verifier,
      expectedState: state,
    });
    const url = new URL(`${AUDIENCE}/users`);
    const called = await openid.fetchProtectedResource(config, first.access_token, url, "GET");
    assert.equal(called.status, 200);
    const second = await openid.refreshTokenGrant(config, first.refresh_token);
    assert.notEqual(second.refresh_token, first.refresh_token);
    await openid.tokenRevocation(config, second.refresh_token);
    await assert.rejects(openid.refreshTokenGrant(config, second.refresh_token), { error: "invalid_grant" });
    return { scope: second.scope };
  },

  /** The application itself. */
  async openid_client_credentials() {
    const config = await discovered();
    const tokens = await openid.clientCredentialsGrant(config, { scope: "products:read" });
    const seen = await openid.tokenIntrospection(config, tokens.access_token);
    return { active: seen.active, scope: seen.scope };
  },

  /** A program without a browser. */
  async openid_device() {
    const config = await discovered();
    const told = await openid.initiateDeviceAuthorization(config, { scope: "users:read" });
    await ask({ open: told.verification_uri_complete });
    const tokens = await openid.pollDeviceAuthorizationGrant(config, { ...told, interval: 0.001 });
    return { scope: tokens.scope };
  },

  /** Log in, call the API by its own fetch, refresh, log out. */
  async badgateway_code() {
    const client = badgateway();
    const codeVerifier = await generateCodeVerifier();
    const request = { redirectUri: REDIRECT_URI, state: "x y", codeVerifier, scope: ["users:read"] };
    const back = await ask({ open: await client.authorizationCode.getAuthorizeUri(request) });
    const first = await client.authorizationCode.getTokenFromCodeRedirect(back, request);
    const wrapper = new OAuth2Fetch({ client, getNewToken: () => first, scheduleRefresh: false });
    assert.equal((await wrapper.fetch(`${AUDIENCE}/users`)).status, 200);
    const second = await client.refreshToken(first);
    assert.notEqual(second.refreshToken, first.refreshToken);
    await client.revoke(second, "refresh_token");
    await assert.rejects(client.refreshToken(second), { oauth2Code: "invalid_grant" });
    return {};
  },

  /** The application itself. */
  async badgateway_client_credentials() {
    const client = badgateway();
    const token = await client.clientCredentials({ scope: ["products:read"] });
    const seen = await client.introspect(token);
    return { active: seen.active, scope: seen.scope };
  },
};

say({ done: await flows[process.argv[2]]() });
process.exit(0);
