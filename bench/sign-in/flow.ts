// The steps of a sign-in, as a browser and its relying party take them (OpenID Connect Core §3.1).
import { createHash, randomBytes } from 'node:crypto';
import type { Answer, Browser } from './browser.ts';

export const REDIRECT_URI = 'https://web.example/callback';
export const CLIENT_ID = 'bench-web';

/** A sign-in page that is open. */
export interface OpenForm {
  readonly action: string;
  readonly csrf: string;
  readonly verifier: string;
}

/** From the application to the sign-in page. */
export async function openForm(browser: Browser): Promise<OpenForm> {
  const verifier = randomBytes(32).toString('base64url');
  const parameters = new URLSearchParams({
    client_id: CLIENT_ID,
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: 'openid',
    state: 'a-state-of-this-bench',
    nonce: 'a-nonce-of-this-bench',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const action = redirectOf(await browser.get(`/authorize?${parameters}`));
  const { status, text } = await browser.get(action);
  if (status !== 200) throw new Error(`the sign-in page answered ${status}: ${text.slice(0, 300)}`);
  return { action, csrf: /name="csrf" value="([^"]*)"/.exec(text)?.[1] ?? '', verifier };
}

/** The form, with its answer. */
export function submitForm(browser: Browser, form: OpenForm, login: string, password: string): Promise<Answer> {
  return browser.post(form.action, { csrf: form.csrf, login, password });
}

/** The whole flow, up to the ID token. */
export async function signIn(browser: Browser, secret: string, login: string, password: string): Promise<void> {
  const form = await openForm(browser);
  const resume = redirectOf(await submitForm(browser, form, login, password));
  const callback = new URL(String((await browser.get(resume)).headers.location));
  const basic = Buffer.from(`${CLIENT_ID}:${secret}`).toString('base64');
  const { status, text } = await browser.post(
    '/token',
    {
      grant_type: 'authorization_code',
      code: String(callback.searchParams.get('code')),
      redirect_uri: REDIRECT_URI,
      code_verifier: form.verifier,
    },
    { authorization: `Basic ${basic}`, accept: 'application/json' },
  );
  if (status !== 200 || !text.includes('"id_token":"eyJ')) throw new Error(`no tokens: ${status} ${text}`);
}

/** Path and query of where the answer leads. */
function redirectOf({ status, headers, text }: Answer): string {
  const url = URL.parse(headers.location ?? '', 'http://127.0.0.1');
  if (status !== 303 || headers.location === undefined || !url) {
    throw new Error(`expected a redirect, got ${status}: ${text.slice(0, 300)}`);
  }
  return url.pathname + url.search;
}
