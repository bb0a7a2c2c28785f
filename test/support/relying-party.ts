// A relying party made of openid-client: registers itself, sends a browser to sign in, and redeems what comes back.
import assert from 'node:assert/strict';
import * as client from 'openid-client';
import type { NewClient } from '../../src/clients/registration.ts';
import type { Service } from './service.ts';
import { createUserAgent, type Page, type UserAgent } from './user-agent.ts';

export const REDIRECT_URI = 'http://127.0.0.1:5000/callback';
export const PASSWORD = 'correct horse battery';

export interface RelyingParty {
  readonly service: Service;
  readonly clientId: string;
  /** empty when it has none */
  readonly secret: string;
  readonly config: client.Configuration;
  /** whether nobody is asked for consent to it */
  readonly firstParty: boolean;
}

export type Tokens = client.TokenEndpointResponse & client.TokenEndpointResponseHelpers;

/** What the relying party remembers of a request until the browser comes back. */
export interface Checks {
  pkceCodeVerifier?: string;
  expectedState: string;
  expectedNonce?: string;
  /** where the browser comes back to */
  redirectUri: string;
}

let registered = 0;

/** A new first-party client with a secret, for the code flow at `REDIRECT_URI`, unless told otherwise. */
export async function addRelyingParty(
  service: Service,
  metadata: Record<string, unknown> = {},
  audiences: NonNullable<NewClient['audiences']> = {},
  authentication?: client.ClientAuth,
): Promise<RelyingParty> {
  registered += 1;
  const { clientId, secret } = await service.addClient({
    clientId: `rp-${registered}`,
    metadata: {
      client_name: `Relying Party ${registered}`,
      redirect_uris: [REDIRECT_URI],
      first_party: true,
      ...metadata,
    },
    audiences,
  });
  const party = await relyingParty(service, clientId, secret, authentication);
  return { ...party, firstParty: metadata['first_party'] !== false };
}

/** A first-party client that exists, as its relying party. */
export async function relyingParty(
  service: Service,
  clientId = 'browser-ui',
  secret = 'a-browser-ui-secret-for-tests',
  authentication?: client.ClientAuth,
): Promise<RelyingParty> {
  const config = await client.discovery(
    new URL(service.issuer),
    clientId,
    secret || undefined,
    authentication ?? (secret ? client.ClientSecretBasic(secret) : client.None()),
    { execute: [client.allowInsecureRequests] },
  );
  return { service, clientId, secret, config, firstParty: true };
}

/**
 * An authorization request by the book: state, nonce and PKCE.
 * @param parameters on top of these; the empty text leaves one out
 */
export async function authorizationRequest(
  { config }: Pick<RelyingParty, 'config'>,
  parameters: Record<string, string> = {},
): Promise<{ url: URL; checks: Checks }> {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const all = {
    redirect_uri: REDIRECT_URI,
    scope: 'openid',
    state: client.randomState(),
    nonce: client.randomNonce(),
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...parameters,
  };
  const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
  const url = client.buildAuthorizationUrl(config, sent);
  if (parameters['response_type'] === '') url.searchParams.delete('response_type');
  return {
    url,
    checks: {
      expectedState: all.state,
      redirectUri: all.redirect_uri,
      ...(all.nonce && { expectedNonce: all.nonce }),
      ...(all.code_challenge && { pkceCodeVerifier }),
    },
  };
}

/** Opens the sign-in page at `url` and signs in; the page after it. */
export async function signIn(agent: UserAgent, url: URL, login = 'alice', password = PASSWORD): Promise<Page> {
  const form = await agent.open(url.href);
  assert.ok(form.document.querySelector('#password'), `expected the sign-in page, got ${form.response.status}`);
  return agent.submit(form, { login, password });
}

/** The authorization response, at the relying party's redirect URI. */
export function callbackOf({ response, text }: Page, redirectUri = REDIRECT_URI): URL {
  const location = response.headers.get('location');
  assert.ok(location?.startsWith(redirectUri), `expected the callback, got ${response.status} ${location} ${text}`);
  assert.equal(response.status, 303);
  return new URL(String(location));
}

/** A browser that has shown the password; what it sees then, and what redeems the code once it is back. */
export async function showPassword(party: RelyingParty, username: string, parameters: Record<string, string> = {}) {
  const agent = createUserAgent(new URL(party.service.issuer).origin);
  const { url, checks } = await authorizationRequest(party, parameters);
  const page = await signIn(agent, url, username);
  return { agent, page, finish: (last: Page) => redeem(party, callbackOf(last), checks) };
}

/** Redeems the code of an authorization response. */
export function redeem(
  { config }: RelyingParty,
  callback: URL,
  { redirectUri: _, ...checks }: Checks,
  parameters: Record<string, string> = {},
  options: client.AuthorizationCodeGrantOptions = {},
): Promise<Tokens> {
  return client.authorizationCodeGrant(config, callback, { ...checks, idTokenExpected: true }, parameters, options);
}

/** The whole flow, through the sign-in page and, with `prompt=consent` or a third-party client, the consent page. */
export async function logIn(
  party: RelyingParty,
  parameters: Record<string, string> = {},
  agent: UserAgent = createUserAgent(party.service.origin),
  tokenParameters: Record<string, string> = {},
): Promise<{ tokens: Tokens; agent: UserAgent; claims: client.IDToken }> {
  const { url, checks } = await authorizationRequest(party, parameters);
  const signedIn = await signIn(agent, url);
  const asked = parameters['prompt']?.includes('consent') || !party.firstParty;
  const callback = callbackOf(asked ? await agent.submit(signedIn, {}, 'allow') : signedIn, checks.redirectUri);
  const tokens = await redeem(party, callback, checks, tokenParameters);
  return { tokens, agent, claims: tokens.claims() as client.IDToken };
}

/** The flow in a browser that is signed in: no page may be shown. */
export async function continueSession(
  party: RelyingParty,
  agent: UserAgent,
  parameters: Record<string, string> = {},
): Promise<{ tokens: Tokens; claims: client.IDToken }> {
  const { url, checks } = await authorizationRequest(party, parameters);
  const tokens = await redeem(party, callbackOf(await agent.open(url.href), checks.redirectUri), checks);
  return { tokens, claims: tokens.claims() as client.IDToken };
}

/** The error that `prompt=none` gets, or undefined when it gets a code. */
export async function silentError(party: RelyingParty, agent: UserAgent): Promise<string | undefined> {
  const { url } = await authorizationRequest(party, { prompt: 'none' });
  return callbackOf(await agent.open(url.href)).searchParams.get('error') ?? undefined;
}

/** POST of a form to one of the service's endpoints, with HTTP Basic authentication when the party has a secret. */
export async function postForm(
  { service, clientId, secret }: RelyingParty,
  path: string,
  parameters: Record<string, string>,
): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }> {
  const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64');
  const response = await fetch(`${service.origin}${path}`, {
    method: 'POST',
    headers: secret ? { authorization: `Basic ${basic}` } : {},
    body: new URLSearchParams(secret ? parameters : { client_id: clientId, ...parameters }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : {} };
}

/** A refusal of the token endpoint, by RFC 6749 §5.2. */
export function assertTokenError(
  { status, headers, body }: Awaited<ReturnType<typeof postForm>>,
  error: string,
  expectedStatus = 400,
): void {
  assert.deepEqual({ status, error: body['error'] }, { status: expectedStatus, error }, JSON.stringify(body));
  assert.match(String(headers.get('content-type')), /^application\/json/);
  assert.equal(headers.get('cache-control'), 'no-store');
  assert.deepEqual(
    // the library names the scope that was refused
    Object.keys(body).filter((name) => !['error', 'error_description', 'scope'].includes(name)),
    [],
  );
  if (body['error_description'] !== undefined) {
    assert.match(String(body['error_description']), /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
  }
}

/** The claims of a token that `POST /verify` accepts for this audience. */
export async function verifiedClaims(
  service: Service,
  token: string,
  audience: string,
): Promise<Record<string, unknown>> {
  const answer = await fetch(`${service.origin}/verify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, aud: audience }),
  });
  const body = (await answer.json()) as { claims: Record<string, unknown> };
  assert.equal(answer.status, 200, JSON.stringify(body));
  return body.claims;
}
