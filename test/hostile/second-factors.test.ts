// Hostile second steps: pages opened out of turn, forms that are none, and requests for levels that make no sense.
import assert from 'node:assert/strict';
import { assertAlive } from '../support/raw-http.ts';
import {
  addRelyingParty,
  authorizationRequest,
  PASSWORD,
  type RelyingParty,
  signIn,
  silentError,
} from '../support/relying-party.ts';
import { giveApp } from '../support/second-factors.ts';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';

const STEPS = ['second-factor', 'recovery-code', 'authenticator', 'authenticator/skip', 'recovery-codes'];

describe('a hostile second step', () => {
  let service: Service;
  let party: RelyingParty;
  before(async () => {
    service = await startService();
    party = await addRelyingParty(service);
    await service.accounts.add({ username: 'enrolled', password: PASSWORD });
    await giveApp(service, 'enrolled');
    const { id } = await service.accounts.add({ username: 'enrolling', password: PASSWORD });
    await service.accounts.requireMfa(id, true);
  });
  after(() => service[Symbol.asyncDispose]());
  afterEach(() => assertAlive(service.origin));

  /** A browser whose sign-in is at this point, and the page that it sees. */
  async function arrive(username?: string) {
    const agent = createUserAgent(service.origin);
    const { url } = await authorizationRequest(party);
    const page = username === undefined ? await agent.open(url.href) : await signIn(agent, url, username);
    const csrf = page.document.querySelector('[name=csrf]')?.getAttribute('value') ?? '';
    const { pathname, search } = new URL(page.url);
    const [, , uid] = pathname.split('/');
    return { agent, csrf, urlOf: (step: string) => `${service.origin}/login/${uid}/${step}${search}` };
  }

  async function assertSignedOut(agent: UserAgent): Promise<void> {
    assert.equal(await silentError(party, agent), 'login_required');
  }

  for (const [point, username] of [
    ['nobody has shown anything', undefined],
    ['a code is asked for', 'enrolled'],
    ['an app is being enrolled', 'enrolling'],
  ] as const) {
    it(`opened out of turn, while ${point}, leads back to where the sign-in is`, async () => {
      const { agent, csrf, urlOf } = await arrive(username);
      const home = username === undefined ? 'login' : username === 'enrolled' ? 'second-factor' : 'authenticator';
      for (const step of STEPS) {
        if (step !== 'authenticator/skip') {
          const { url, response } = await agent.open(urlOf(step));
          assert.equal(response.status, 200, step);
          const [, , , ...at] = new URL(url).pathname.split('/');
          const expected: string[] = [
            home,
            ...(username === 'enrolled' ? ['recovery-code'] : []),
            ...(step === 'recovery-codes' ? ['login'] : []),
          ];
          assert.ok(expected.includes(at.join('/') || 'login'), `${step}: ${at.join('/')}`);
        }
        const body = new URLSearchParams({ csrf, code: '000000', kept: 'yes' });
        const { response } = await agent.open(urlOf(step), { method: 'POST', body });
        assert.ok([200, 400].includes(response.status), `${step}: ${response.status}`);
      }
      await assertSignedOut(agent);
    });
  }

  const FORMS: [string, Record<string, string> | string, Record<string, string>?][] = [
    ['no code', {}],
    ['two codes', 'code=000000&code=111111'],
    ['a code that is a list', 'code[]=000000'],
    ['a member of every object', { code: '__proto__' }],
    ['a NUL', { code: '000\u0000000' }],
    ['SQL', { code: "' OR 1=1;--" }],
    ['markup', { code: '"><svg onload=alert(1)>' }],
    ['30,000 digits', { code: '1'.repeat(30_000) }],
    ['half a character', 'code=%ff%fe'],
    ['JSON', '{"code":"000000"}', { 'content-type': 'application/json' }],
  ];
  for (const [what, form, headers = {}] of FORMS) {
    it(`with ${what} is refused`, async () => {
      for (const [username, steps] of [
        ['enrolled', ['second-factor', 'recovery-code']],
        ['enrolling', ['authenticator']],
      ] as const) {
        const { agent, csrf, urlOf } = await arrive(username);
        const fields = typeof form === 'string' ? form : String(new URLSearchParams(form));
        const body = headers['content-type'] ? fields : `csrf=${encodeURIComponent(csrf)}&${fields}`;
        const type = { 'content-type': 'application/x-www-form-urlencoded', ...headers };
        for (const step of steps) {
          const answer = await agent.fetch(urlOf(step), { method: 'POST', headers: type, body });
          assert.ok(answer.status >= 400 && answer.status < 500, `${step}: ${answer.status}`);
          assert.doesNotMatch(await answer.text(), /<svg onload/);
        }
        await assertSignedOut(agent);
      }
    });
  }

  for (const claims of [
    '{"id_token":{"acr":null}}',
    '{"id_token":{"acr":{"essential":true}}}',
    '{"id_token":{"acr":{"essential":true,"values":[]}}}',
    '{"id_token":{"acr":{"essential":true,"values":[null,7,{"a":1}]}}}',
    '{"id_token":{"acr":{"essential":true,"values":"aal1"}}}',
    '{"id_token":{"acr":{"essential":"yes","value":"phr"}}}',
    '{"id_token":{"acr":{"value":{"toString":1}}}}',
    '{"id_token":{"acr":["aal2"]}}',
    '{"id_token":{"acr":7}}',
    '{"id_token":null}',
    '{"userinfo":{"acr":{"essential":true,"value":"phr"}}}',
  ]) {
    it(`asked for by claims=${claims} is a sign-in or an error, never a failure`, async () => {
      const agent = createUserAgent(service.origin);
      const { url } = await authorizationRequest(party, { claims, acr_values: 'constructor __proto__' });
      const { response } = await agent.open(url.href);
      assert.ok([200, 303, 400].includes(response.status), String(response.status));
      const last = response.status === 200 ? await signIn(agent, url, 'alice') : undefined;
      if (last) assert.ok([200, 303].includes(last.response.status), String(last.response.status));
    });
  }
});
