// The pages that take an answer to where it belongs by a form: ours in look and language, with a script or without.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { de } from '../../views/texts/de.ts';
import { addRelyingParty, authorizationRequest, signIn } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent, type Page } from '../support/user-agent.ts';

/** The page is in German, its script may run and no other, and its form has a button to press. */
function assertOurs({ response, document }: Page): void {
  assert.equal(document.querySelector('html')?.getAttribute('lang'), 'de');
  assert.equal(document.querySelector('#go-on')?.text, de['form-post'].submit);
  const script = document.querySelector('script')?.text ?? '';
  const policy = String(response.headers.get('content-security-policy'));
  assert.match(script, /submit\(\)/);
  assert.ok(policy.includes(`script-src 'sha256-${createHash('sha256').update(script).digest('base64')}';`), policy);
  assert.equal(policy.match(/script-src/g)?.length, 1);
}

describe('A form that submits itself', () => {
  let service: Service;
  before(async () => {
    service = await startService();
  });
  after(() => service[Symbol.asyncDispose]());

  it('has our look and language where an answer is posted to a client (OAuth 2.0 Form Post Response Mode §2)', async () => {
    const { url, checks } = await authorizationRequest(await addRelyingParty(service), {
      response_mode: 'form_post',
      state: `it's "<&amp;>" 1+1`,
      ui_locales: 'de',
    });
    const page = await signIn(createUserAgent(service.origin, { fetch: inGerman }), url);
    assertOurs(page);
    const form = page.document.querySelector('form');
    assert.equal(form?.getAttribute('action'), checks.redirectUri);
    assert.equal(page.document.querySelector('input[name=state]')?.getAttribute('value'), `it's "<&amp;>" 1+1`);
    assert.match(String(page.response.headers.get('content-security-policy')), /form-action 'self' http:;/);
  });

  it('has them where nobody is signed in who could be asked whether to sign out', async () => {
    const agent = createUserAgent(service.origin, { fetch: inGerman });
    const page = await agent.open(`${service.origin}/logout`);
    assertOurs(page);
    const after = await agent.submit(page, {}, 'go-on');
    assert.equal(after.response.status, 200);
    assert.equal(after.document.querySelector('h1')?.text, de['signed-out'].title);
  });
});

const inGerman: typeof fetch = (input, init) => {
  const headers = new Headers(init?.headers);
  headers.set('accept-language', 'de');
  return fetch(input, { ...init, headers });
};
