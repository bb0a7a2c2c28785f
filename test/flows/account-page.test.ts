// Stories of the account page: signing in to it like to any application, and what it shows and changes.
import assert from 'node:assert/strict';
import { PASSWORD } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';

describe('The account page', () => {
  let service: Service;
  before(async () => {
    service = await startService();
  });
  after(() => service[Symbol.asyncDispose]());

  /** A page of the account page, through the sign-in page when it is shown. */
  async function open(agent: UserAgent, path = '/account', login = 'alice'): Promise<Page> {
    const page = await agent.open(`${service.origin}${path}`);
    return page.document.querySelector('#password') && page.document.querySelector('#login')
      ? agent.submit(page, { login, password: PASSWORD })
      : page;
  }

  it('signs in by a code flow with state, nonce and PKCE, and shows the account', async () => {
    const agent = createUserAgent(service.origin);
    const begun = await agent.fetch(`${service.origin}/account`);
    const request = new URL(String(begun.headers.get('location')));
    assert.equal(begun.status, 303);
    assert.equal(request.pathname, '/authorize');
    for (const name of ['state', 'nonce', 'code_challenge']) assert.ok(request.searchParams.get(name), name);
    assert.equal(request.searchParams.get('code_challenge_method'), 'S256');

    const page = await open(agent);
    assert.equal(page.response.status, 200, page.text);
    assert.equal(page.url, `${service.origin}/account`);
    assert.match(page.document.querySelector('main')?.text ?? '', /alice/);
  });
});
