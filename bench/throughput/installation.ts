// What the bench measures: a configured service in a folder of its own, and the requests that are sent to it.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openStore } from '../../adapters/open-store.ts';
import { createClientRegistry } from '../../src/clients/registration.ts';
import { parseConfig } from '../../src/config.ts';
import { createSecretBox } from '../../src/keys/secret-box.ts';
import { createResourceServerRegistry } from '../../src/resource-servers/registry.ts';
import type { Shot } from './load.ts';

/** The environment of a production service whose data is in `folder`. */
export function createEnvironment(folder: string): Record<string, string> {
  const secret = () => randomBytes(32).toString('base64url');
  return {
    NODE_ENV: 'production',
    PUBLIC_URL: 'https://bench.example',
    JWT_ISSUER: 'https://bench.example',
    COOKIE_SECRET: secret(),
    JWT_SECRET_KEY: secret(),
    ENCRYPTION_KEY: secret(),
    DATABASE_URL: process.env['BENCH_DATABASE_URL'] ?? `sqlite:${join(folder, 'identity.db')}`,
  };
}

/** Registers the client `bench` and its two audiences; answers the client's secret. */
export async function register(env: Record<string, string>): Promise<string> {
  const config = parseConfig(env);
  const clock = () => Math.floor(Date.now() / 1000);
  await using store = await openStore({ ...config, clock, box: createSecretBox(config.encryptionKeys) });
  await store.migrate();
  const resourceServers = createResourceServerRegistry({ resourceServers: store.resourceServers, builtIn: [], clock });
  for (const alg of ['ES256', 'HS256'] as const) {
    await resourceServers.add({ audience: `bench-${alg.toLowerCase()}`, scope: 'read', alg });
  }
  const { secret = '' } = await createClientRegistry({ clients: store.clients, builtIn: [], clock }).add({
    clientId: 'bench',
    metadata: { grant_types: ['client_credentials'] },
    audiences: { 'bench-es256': null, 'bench-hs256': null },
  });
  return secret;
}

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';

/** `client_id` and `client_secret` hold no character that a form would encode. */
function headersOf(type: string, body: string, secret?: string): Record<string, string> {
  return {
    'content-type': type,
    'content-length': String(Buffer.byteLength(body)),
    ...(secret && { authorization: `Basic ${Buffer.from(`bench:${secret}`).toString('base64')}` }),
  };
}

/** The standard grant, to either server. @param more parameters */
export function formGrant(port: number, secret: string, resource: string, more: Record<string, string> = {}): Shot {
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope: 'read', resource, ...more }).toString();
  return { port, path: '/token', headers: headersOf(FORM, body, secret), body, expected: '"access_token":"eyJ' };
}

/** The JSON form of the older service. */
export function jsonGrant(port: number, secret: string, aud: string): Shot {
  const body = JSON.stringify({ sub: 'bench', aud });
  return { port, path: '/token', headers: headersOf(JSON_TYPE, body, secret), body, expected: '"access_token":"eyJ' };
}

/** @param tokens verified in turn */
export function verification(port: number, tokens: readonly string[], aud: string): Shot {
  const [body = '', ...others] = tokens.map((token) => JSON.stringify({ token, aud }));
  return { port, path: '/verify', headers: headersOf(JSON_TYPE, body), body, others, expected: '"valid":true' };
}

export function introspection(port: number, secret: string, token: string): Shot {
  const body = new URLSearchParams({ token }).toString();
  return { port, path: '/introspect', headers: headersOf(FORM, body, secret), body, expected: '"active":true' };
}

/** The token that a shot at the token endpoint gets. */
async function tokenFrom({ port, path, headers, body }: Shot): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body });
  const { access_token: token } = (await response.json()) as { access_token?: string };
  if (token === undefined) throw new Error(`${path} answered ${response.status} without a token`);
  return token;
}

/** As many tokens, one after the other. */
export async function tokensFrom(shot: Shot, count: number): Promise<string[]> {
  const tokens: string[] = [];
  while (tokens.length < count) tokens.push(await tokenFrom(shot));
  return tokens;
}
