// One end-user's browser and the client `browser-ui` behind it, against whichever process it is pointed at.
import assert from 'node:assert/strict';
import type { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { parse } from 'node-html-parser';
import { type Answer, createConnections, type Request, send, sendTogether } from './requests.ts';

export const REDIRECT_URI = 'http://127.0.0.1:5000/callback';
export const CLIENT_SECRET = 'a-browser-ui-secret-for-tests';
export const LOGIN = 'alice';
export const PASSWORD = 'correct horse battery';

const AUTHORIZATION = `Basic ${Buffer.from(`browser-ui:${CLIENT_SECRET}`).toString('base64')}`;

/** What a token request gave. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

export interface RelyingAgent extends Disposable {
  readonly connections: Agent;
  /** Signs in with a password; codes then come from the session. */
  signIn(): Promise<void>;
  /** A new code by the session. Codes of one session share a grant until that is revoked. */
  code(parameters?: Record<string, string>): Promise<string>;
  redeem(code: string, parameters?: Record<string, string>): Promise<Answer>;
  refresh(refreshToken: string): Promise<Answer>;
  revoke(token: string): Promise<Answer>;
  logOut(): Promise<Answer>;
  userinfo(accessToken: string): Promise<Answer>;
  introspect(token: string): Promise<Answer>;
  /** The same form to `/token`, once to each of these origins, at the same moment. */
  tokenTogether(origins: readonly string[], form: Record<string, string>): Promise<Answer[]>;
}

/** @param origin where the next request goes: asked each time */
export function createRelyingAgent(origin: () => string): RelyingAgent {
  const connections = createConnections();
  const cookies = new Map<string, string>();

  const asClient = (path: string, form: Record<string, string>) =>
    send(`${origin()}${path}`, { form, headers: { authorization: AUTHORIZATION } }, connections);

  /** Sends the cookies along and keeps those that are set; redirects within the service are followed. */
  async function browse(path: string, options: Request = {}): Promise<Answer> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { accept: 'text/html', ...(cookie && { cookie }) };
    const answer = await send(`${origin()}${path}`, { ...options, headers }, connections);
    for (const line of answer.headers['set-cookie'] ?? []) keepCookie(line);
    const { location } = answer.headers;
    if (location === undefined || location.startsWith(REDIRECT_URI)) return answer;
    const { pathname, search } = new URL(location, origin());
    return browse(pathname + search);
  }

  function keepCookie(line: string): void {
    const [pair = '', ...attributes] = line.split('; ');
    const at = pair.indexOf('=');
    const expired = attributes.some((attribute) => /^expires=Thu, 01 Jan 1970/i.test(attribute));
    if (expired) cookies.delete(pair.slice(0, at));
    else cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }

  function authorize(parameters: Record<string, string> = {}): Promise<Answer> {
    const query = new URLSearchParams({
      client_id: 'browser-ui',
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      scope: 'openid',
      ...parameters,
    });
    return browse(`/authorize?${query}`);
  }

  return {
    connections,
    async signIn() {
      for (;;) {
        const answer = await submit(await authorize(), { login: LOGIN, password: PASSWORD });
        // on a busy machine sign-ins are put off that would wait too long
        if (answer.status !== 503) return;
        await pause(Number(answer.headers['retry-after'] ?? 1) * 1000);
      }
    },
    async code(parameters) {
      const answer = await authorize(parameters);
      const code = URL.parse(answer.headers.location ?? '')?.searchParams.get('code');
      if (!code) throw new NoCode(answer);
      return code;
    },
    redeem: (code, parameters) => asClient('/token', { ...redemption(code), ...parameters }),
    refresh: (refreshToken) => asClient('/token', refreshment(refreshToken)),
    revoke: (token) => asClient('/revoke', { token }),
    introspect: (token) => asClient('/introspect', { token }),
    userinfo: (accessToken) =>
      send(`${origin()}/userinfo`, { headers: { authorization: `Bearer ${accessToken}` } }, connections),
    async logOut() {
      return submit(await browse('/logout'), { logout: 'yes' });
    },
    tokenTogether: (origins, form) =>
      sendTogether(
        origins.map((to) => [`${to}/token`, { form, headers: { authorization: AUTHORIZATION } }]),
        connections,
      ),
    [Symbol.dispose]: () => connections.destroy(),
  };

  async function submit(page: Answer, values: Record<string, string>): Promise<Answer> {
    const form = parse(page.text).querySelector('form');
    assert.ok(form, `no form on a page of status ${page.status}: ${page.text}`);
    const fields = form
      .querySelectorAll('input')
      .map((input): [string, string] => [input.getAttribute('name') ?? '', input.getAttribute('value') ?? ''])
      .filter(([name]) => name !== '');
    const { pathname, search } = new URL(form.getAttribute('action') ?? '', origin());
    return browse(pathname + search, { form: { ...Object.fromEntries(fields), ...values } });
  }
}

/** An authorization request that was answered, but not with a code. */
export class NoCode extends Error {
  override name = 'NoCode';
  readonly status: number;
  constructor({ status, headers, text }: Answer) {
    super(`no code: ${status} ${headers.location ?? ''} ${text.slice(0, 300)}`);
    this.status = status;
  }
}

/** The form that redeems a code. */
export function redemption(code: string): Record<string, string> {
  return { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI };
}

/** The form that refreshes. */
export function refreshment(refreshToken: string): Record<string, string> {
  return { grant_type: 'refresh_token', refresh_token: refreshToken };
}

/** The tokens of an answer that has to be a success. */
export function tokensOf({ status, text, body }: Answer): Tokens {
  assert.equal(status, 200, text);
  return { accessToken: String(body['access_token']), refreshToken: String(body['refresh_token']) };
}
