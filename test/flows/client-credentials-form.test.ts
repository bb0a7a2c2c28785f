// The forms that are answered without the library get what the library answers: each is sent both ways.
import assert from 'node:assert/strict';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { after, before, describe, it } from 'mocha';
import { type Service, startService } from '../support/service.ts';

interface Form {
  readonly parameters: Record<string, string>;
  /** absent: of the client `plain`; the empty text: none */
  readonly authorization?: string;
  readonly headers?: Record<string, string>;
}

const basic = (clientId: string, secret: string) =>
  `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64')}`;

describe('The client-credentials form (RFC 6749 §4.4)', () => {
  let service: Service;
  const secrets: Record<string, string> = {};
  before(async () => {
    service = await startService();
    for (const alg of ['ES256', 'EdDSA', 'RS256', 'PS256', 'HS256'] as const) {
      await service.resourceServers.add({ audience: `${alg}-service`, scope: 'read write', alg, expiresIn: 60 });
    }
    await service.resourceServers.add({ audience: 'https://api.example/v1', scope: 'api:read' });
    await service.resourceServers.add({ audience: 'unscoped-service' });
    const audiences = {
      ...Object.fromEntries(['ES256', 'EdDSA', 'RS256', 'PS256', 'HS256'].map((alg) => [`${alg}-service`, null])),
      'https://api.example/v1': null,
      'unscoped-service': null,
    };
    const metadata = { grant_types: ['client_credentials'] };
    const clients: [name: string, more: Record<string, unknown>, audiences: Record<string, string | null>][] = [
      ['plain', {}, audiences],
      ['posting', { token_endpoint_auth_method: 'client_secret_post' }, audiences],
      ['basic', { token_endpoint_auth_method: 'client_secret_basic' }, audiences],
      ['sole', {}, { 'ES256-service': 'write' }],
      ['default', { default_audience: 'HS256-service' }, audiences],
      ['claiming', { access_token_claims: { tenant: 'a', team: ['b'] } }, audiences],
      ['bound', { dpop_bound_access_tokens: true }, audiences],
      ['scoped', { scope: 'openid' }, audiences],
      ['a:b%c', {}, audiences],
      ['useless', {}, {}],
    ];
    for (const [clientId, more, granted] of clients) {
      const added = await service.addClient({ clientId, metadata: { ...metadata, ...more }, audiences: granted });
      secrets[clientId] = added.secret;
    }
    const added = await service.addClient({
      clientId: 'signing-in',
      metadata: { redirect_uris: ['https://app.example/callback'] },
      audiences,
    });
    secrets['signing-in'] = added.secret;
  });
  after(() => service[Symbol.asyncDispose]());

  const by = (clientId: string) => () => ({ authorization: basic(clientId, String(secrets[clientId])) });
  const posted = (clientId: string) => () => ({
    authorization: '',
    parameters: { client_id: clientId, client_secret: String(secrets[clientId]) },
  });
  const audience = 'ES256-service';

  const forms: readonly [name: string, parameters: Record<string, string>, more?: () => Partial<Form>][] = [
    ...['ES256', 'EdDSA', 'RS256', 'PS256', 'HS256'].map(
      (alg) => [`a token signed with ${alg}`, { audience: `${alg}-service` }] as [string, Record<string, string>],
    ),
    ['a resource by its URN', { resource: 'urn:audience:ES256-service' }],
    ['an audience that is a URI', { audience: 'https://api.example/v1' }],
    ['a resource that is a URI', { resource: 'https://api.example/v1' }],
    ['a resource server without scopes', { audience: 'unscoped-service' }],
    ['a scope', { audience, scope: 'read' }],
    ['two scopes in another order', { audience, scope: 'write read' }],
    ['a scope twice', { audience, scope: 'read read' }],
    ['the secret in the form', { audience }, posted('plain')],
    ['the secret in the form, as registered', { audience }, posted('posting')],
    ['the client id beside the header', { audience, client_id: 'plain' }],
    ['the sole audience', {}, by('sole')],
    ['the default audience', {}, by('default')],
    ['claims of the registration', { audience }, by('claiming')],
    ['a client id that has to be encoded', { audience }, by('a:b%c')],
    ['a form of another origin', { audience }, () => ({ headers: { origin: 'https://other.example' } })],
    ['no audience among several', {}],
    ['no audience at all', {}, by('useless')],
    ['an empty audience', { audience: '' }],
    ['an empty resource', { resource: '' }],
    ['an empty scope', { audience, scope: '' }],
    [
      'an empty secret',
      { audience },
      () => ({ authorization: '', parameters: { client_id: 'plain', client_secret: '' } }),
    ],
    ['an unknown audience', { audience: 'unknown' }],
    ['an audience that was not granted', { audience: 'HS256-service' }, by('sole')],
    ['an audience as resource', { resource: 'ES256-service' }],
    ['a resource spelled otherwise', { resource: 'urn:audience:%45S256-service' }],
    ['audience and resource', { audience, resource: 'urn:audience:ES256-service' }],
    ['a scope that is not granted', { audience, scope: 'read' }, by('sole')],
    ['an unknown scope', { audience, scope: 'read delete' }],
    ['a scope with two spaces', { audience, scope: 'read  write' }],
    ['a scope of OpenID Connect', { audience, scope: 'openid' }],
    ['a scope without audience', { scope: 'read' }],
    ['a scope that is outside of the registration', { audience, scope: 'write' }, by('scoped')],
    ['no scope, with one in the registration', { audience }, by('scoped')],
    ['a wrong secret', { audience }, () => ({ authorization: basic('plain', 'wrong') })],
    ['the secret of another client', { audience }, () => ({ authorization: basic('plain', String(secrets['sole'])) })],
    ['an unknown client', { audience }, () => ({ authorization: basic('nobody', 'wrong') })],
    ['another client id beside the header', { audience, client_id: 'sole' }],
    ['two mechanisms', { audience }, () => ({ parameters: posted('plain')().parameters })],
    ['the header of a client registered for the form', { audience }, by('posting')],
    ['the form of a client registered for the header', { audience }, posted('basic')],
    [
      'a header with two spaces',
      { audience },
      () => ({ authorization: by('plain')().authorization.replace(' ', '  ') }),
    ],
    ['a header of another scheme', { audience }, () => ({ authorization: 'Bearer abc' })],
    ['no credentials', { audience }, () => ({ authorization: '' })],
    ['a client that is not registered for the grant', { audience }, by('signing-in')],
    ['a client whose tokens are bound to a key, without proof (RFC 9449)', { audience }, by('bound')],
    ['a proof that is none (RFC 9449)', { audience }, () => ({ headers: { dpop: 'none' } })],
  ];

  /** What is the same for the same request: the answer, and in place of the token what it says but for id and time. */
  async function answerTo({ parameters, authorization, headers }: Form) {
    const from = service.log.length;
    const response = await fetch(`${service.origin}/token`, {
      method: 'POST',
      headers: { ...(authorization && { authorization }), ...headers },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...parameters }),
    });
    const { access_token: token, ...body } = (await response.json()) as Record<string, unknown>;
    const {
      jti,
      iat = 0,
      nbf = 0,
      exp = 0,
      ...claims
    } = typeof token === 'string' && token.includes('.') ? decodeJwt(token) : {};
    const names = ['cache-control', 'content-type', 'www-authenticate', 'content-security-policy', 'x-frame-options'];
    // without an origin, those of CORS mean nothing
    if (headers?.['origin']) names.push('access-control-allow-origin', 'access-control-expose-headers', 'vary');
    const sent = names.map((name) => [name, response.headers.get(name)]);
    const events = service.log
      .slice(from)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ event }) => event !== undefined)
      .map(({ time, requestId, tokenHash, ...event }) => ({
        ...event,
        identified: Boolean(requestId),
        hashed: Boolean(tokenHash),
      }));
    return {
      answer: { status: response.status, headers: sent, body, token: typeof token },
      claims: { ...claims, identified: Boolean(jti), lifetime: exp - iat, since: nbf - iat },
      header: claims.iss === undefined ? undefined : decodeProtectedHeader(String(token)),
      events,
    };
  }

  for (const [name, parameters, more] of forms) {
    it(`gets the library's answer: ${name}`, async () => {
      const form = { authorization: by('plain')().authorization, ...more?.() };
      const sent = { ...parameters, ...form.parameters };
      const plain = await answerTo({ ...form, parameters: sent });
      // a parameter that nobody knows has to be ignored (RFC 6749 §3.2), but only the library does
      const byLibrary = await answerTo({ ...form, parameters: { ...sent, unknown: 'x' } });
      assert.deepEqual(plain, byLibrary);
    });
  }
});
