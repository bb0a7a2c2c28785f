// Stories of interactions: each belongs to the browser that began it, works once, and several live side by side.
import assert from 'node:assert/strict';
import {
  addRelyingParty,
  authorizationRequest,
  callbackOf,
  PASSWORD,
  type RelyingParty,
  redeem,
  signIn,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';

const CREDENTIALS = { login: 'alice', password: PASSWORD };

describe('Interactions', () => {
  let service: Service;
  let party: RelyingParty;
  before(async () => {
    service = await startService();
    party = await addRelyingParty(service);
  });
  after(() => service[Symbol.asyncDispose]());

  async function begin(agent: UserAgent, parameters: Record<string, string> = {}) {
    const { url, checks } = await authorizationRequest(party, parameters);
    return { form: await agent.open(url.href), checks };
  }

  function assertRefused({ response }: Page, status = 400): void {
    assert.equal(response.status, status);
    assert.equal(response.headers.get('location'), null);
    assert.match(String(response.headers.get('content-type')), /^text\/html/);
  }

  /** Where the browser goes once the form was accepted: the resume URL, not followed. */
  async function resumeUrl(agent: UserAgent, form: Page): Promise<string> {
    const fields = form.document.querySelector('form')?.querySelectorAll('input') ?? [];
    const body = new URLSearchParams(CREDENTIALS);
    for (const field of fields) {
      if (field.getAttribute('type') === 'hidden') {
        body.set(String(field.getAttribute('name')), String(field.getAttribute('value')));
      }
    }
    const answer = await agent.fetch(form.url, { method: 'POST', body });
    assert.equal(answer.status, 303);
    return String(answer.headers.get('location'));
  }

  it('shows nothing and takes nothing without its cookie (security requirement R37)', async () => {
    const owner = createUserAgent(service.origin);
    const { form, checks } = await begin(owner);
    const stranger = createUserAgent(service.origin);
    assertRefused(await stranger.open(form.url));
    assertRefused(await stranger.submit(form, CREDENTIALS));
    const tokens = await redeem(party, callbackOf(await owner.submit(form, CREDENTIALS)), checks);
    assert.ok(tokens.access_token);
  });

  it("is not opened by the cookie of another browser's interaction", async () => {
    const owner = createUserAgent(service.origin);
    const stranger = createUserAgent(service.origin);
    const { form: theirs } = await begin(owner);
    const { form: own } = await begin(stranger);
    for (const cookie of await stranger.cookies.getCookies(own.url)) {
      if (cookie.key.startsWith('interaction')) {
        await stranger.cookies.setCookie(`${cookie.key}=${cookie.value}; Path=/`, service.origin);
      }
    }
    assertRefused(await stranger.open(theirs.url));
  });

  it('is resumed in the browser that began it, once', async () => {
    const owner = createUserAgent(service.origin);
    const resume = await resumeUrl(owner, (await begin(owner)).form);
    assertRefused(await createUserAgent(service.origin).open(resume));
    assert.ok(callbackOf(await owner.open(resume)).searchParams.get('code'));
    assertRefused(await owner.open(resume));
  });

  it('cannot be submitted again once it is over', async () => {
    const agent = createUserAgent(service.origin);
    const { form } = await begin(agent);
    callbackOf(await agent.submit(form, CREDENTIALS));
    assertRefused(await agent.submit(form, CREDENTIALS));
    assertRefused(await agent.open(form.url));
  });

  it('gives one code when its form is submitted twice at the same moment', async () => {
    const agent = createUserAgent(service.origin);
    const { form } = await begin(agent);
    const pages = await Promise.all([agent.submit(form, CREDENTIALS), agent.submit(form, CREDENTIALS)]);
    const codes = pages.filter(({ response }) => response.headers.get('location')?.includes('code='));
    assert.equal(codes.length, 1, pages.map(({ response }) => response.status).join());
    assert.ok(pages.every(({ response }) => response.status < 500));
  });

  it('gives one code when it is resumed several times at the same moment', async () => {
    const agent = createUserAgent(service.origin);
    const resume = await resumeUrl(agent, (await begin(agent)).form);
    const answers = await Promise.all(Array.from({ length: 8 }, () => agent.fetch(resume)));
    const statuses = answers.map(({ status }) => status);
    assert.deepEqual(statuses.sort(), [303, ...Array(7).fill(400)]);
  });

  it('ends after an hour, with a page that says what to do', async () => {
    await withMovingTime(async (pass) => {
      const agent = createUserAgent(service.origin);
      const { form } = await begin(agent);
      pass(3601);
      const page = await agent.submit(form, CREDENTIALS);
      assertRefused(page);
      assert.match(page.document.querySelector('h1')?.text ?? '', /no longer open/);
    });
  });

  it('lets two tabs sign in one after the other, each with its own state', async () => {
    const agent = createUserAgent(service.origin);
    const first = await begin(agent);
    const second = await begin(agent);
    assert.notEqual(first.form.url, second.form.url);
    for (const { form, checks } of [second, first]) {
      const tokens = await redeem(party, callbackOf(await agent.submit(form, CREDENTIALS)), checks);
      assert.ok(tokens.access_token);
    }
  });

  it('goes on after a wrong password, keeping the name', async () => {
    const agent = createUserAgent(service.origin);
    const { form, checks } = await begin(agent);
    const again = await agent.submit(form, { login: 'alice', password: 'wrong' });
    assertRefused(again);
    assert.equal(again.document.querySelector('#login')?.getAttribute('value'), 'alice');
    assert.equal(again.document.querySelector('#password')?.getAttribute('value'), undefined);
    assert.ok((await redeem(party, callbackOf(await agent.submit(again, CREDENTIALS)), checks)).access_token);
  });

  const foreign: [name: string, headers: Record<string, string>, csrf: string | undefined][] = [
    ['another site', { 'sec-fetch-site': 'cross-site' }, undefined],
    ['a sibling site', { 'sec-fetch-site': 'same-site' }, undefined],
    ['another origin', { origin: 'https://evil.example' }, undefined],
    ['a page without the token of the form', {}, ''],
    ['a page with the token of another interaction', {}, 'another'],
  ];
  for (const [name, headers, csrf] of foreign) {
    it(`takes no form from ${name} (security requirement R36)`, async () => {
      const agent = createUserAgent(service.origin);
      const { form } = await begin(agent);
      const own = String(form.document.querySelector('[name=csrf]')?.getAttribute('value'));
      const other = (await begin(agent)).form.document.querySelector('[name=csrf]')?.getAttribute('value');
      const token = csrf === undefined ? own : csrf === '' ? '' : String(other);
      const page = await agent.open(form.url, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ ...CREDENTIALS, csrf: token }),
      });
      assertRefused(page, 403);
      assert.deepEqual(page.response.headers.getSetCookie(), []);
    });
  }

  it('ends with access_denied when it is cancelled in one tab, while the other goes on', async () => {
    const agent = createUserAgent(service.origin);
    const first = await begin(agent);
    const second = await begin(agent);
    const { searchParams } = callbackOf(await agent.submit(first.form, {}, 'cancel'));
    assert.equal(searchParams.get('error'), 'access_denied');
    assert.ok((await redeem(party, callbackOf(await agent.submit(second.form, CREDENTIALS)), second.checks)).id_token);
  });

  it('never redirects to an address that the request names beside redirect_uri (security requirement R34)', async () => {
    const targets = ['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)'];
    for (const target of targets) {
      const extra = { next: target, return_to: target, back: target, target_link_uri: target };
      const { url } = await authorizationRequest(party, extra);
      const agent = createUserAgent(service.origin);
      callbackOf(await signIn(agent, url));
      const query = new URLSearchParams(extra);
      for (const path of ['/login', '/logout', '/logout/success']) {
        const page = await agent.open(`${service.origin}${path}?${query}`);
        assert.equal(page.response.headers.get('location'), null);
        assert.ok(!page.text.includes('evil.example'), path);
      }
    }
  });
});
