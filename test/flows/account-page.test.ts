// Stories of the account page: signing in to it like to any application, and what it shows and changes.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { createServer, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { accountAgent, errorOf, itemsOf, openAccountPage, outcomeOf } from '../support/account-page.ts';
import {
  addRelyingParty,
  assertTokenError,
  authorizationRequest,
  callbackOf,
  logIn,
  PASSWORD,
  postForm,
  redeem,
  signIn,
  silentError,
} from '../support/relying-party.ts';
import { codeOf, giveApp, typeCode } from '../support/second-factors.ts';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';

const MINUTE = 60;
const NEW_PASSWORD = 'seven marmots under glass';

let people = 0;

/** A `fetch` for which every URL leads to a unix socket, as by a web server that adds these headers. */
function fetchThrough(socketPath: string, added: Record<string, string>): typeof fetch {
  return async (input, init) => {
    const { pathname, search } = new URL(String(input));
    const { body = null, method = 'GET' } = init ?? {};
    const headers = { ...Object.fromEntries(new Request('http://localhost', init).headers), ...added };
    const asked = request({ socketPath, path: pathname + search, method, headers, agent: false });
    asked.end(body === null ? undefined : String(body));
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const lines = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
      values.map((value): [string, string] => [name, value]),
    );
    const status = answer.statusCode ?? 0;
    return new Response(await text(answer), { status, headers: lines });
  };
}

describe('The account page', () => {
  let service: Service;
  before(async () => {
    service = await startService();
  });
  after(() => service[Symbol.asyncDispose]());

  async function addPerson(claims = {}) {
    people += 1;
    return service.accounts.add({ username: `person-${people}`, password: PASSWORD, claims });
  }

  describe('signing in', () => {
    it('is a code flow with state, nonce and PKCE (RFC 9700 §2.1)', async () => {
      const agent = createUserAgent(service.origin);
      const begun = await agent.fetch(`${service.origin}/account`);
      const request = new URL(String(begun.headers.get('location')));
      assert.equal(begun.status, 303);
      assert.equal(request.pathname, '/authorize');
      for (const name of ['state', 'nonce', 'code_challenge']) assert.ok(request.searchParams.get(name), name);
      assert.equal(request.searchParams.get('code_challenge_method'), 'S256');
      const page = await openAccountPage(service, agent);
      assert.equal(page.response.status, 200, page.text);
      assert.equal(page.url, `${service.origin}/account`);
      assert.match(page.document.querySelector('main')?.text ?? '', /alice/);
    });

    it('leads to the page that was asked for', async () => {
      const page = await openAccountPage(service, createUserAgent(service.origin), '/sessions');
      assert.equal(page.url, `${service.origin}/account/sessions`);
    });

    it('asks nobody who is signed in already', async () => {
      const { agent } = await logIn(await addRelyingParty(service));
      assert.equal((await agent.open(`${service.origin}/account`)).response.status, 200);
    });

    it('can be cancelled, and leads to the home page', async () => {
      const agent = createUserAgent(service.origin);
      const page = await agent.submit(await agent.open(`${service.origin}/account`), {}, 'cancel');
      assert.equal(page.url, `${service.origin}/`);
      assert.ok(page.document.querySelector('#account'));
    });

    it('can be done in several tabs at once', async () => {
      const agent = createUserAgent(service.origin);
      const tabs = [
        await agent.open(`${service.origin}/account`),
        await agent.open(`${service.origin}/account/profile`),
      ];
      for (const tab of tabs) {
        const page = await agent.submit(tab, { login: 'alice', password: PASSWORD });
        assert.equal(page.response.status, 200);
      }
    });

    it('is where /login leads without an id, and the home page', async () => {
      const agent = await accountAgent(service);
      assert.equal((await agent.open(`${service.origin}/login`)).url, `${service.origin}/account`);
      const home = await agent.open(`${service.origin}/`);
      const link = home.document.querySelector('#account')?.getAttribute('href');
      assert.equal(link, `${service.origin}/account`);
    });

    for (const [where, issuer, headers] of [
      ['an https issuer behind a proxy', 'https://id.example.com', { 'x-forwarded-proto': 'https' }],
      ['an https issuer with a path', 'https://id.example.com/sso', { 'x-forwarded-proto': 'https' }],
      ['an http issuer behind a proxy', 'http://localhost:3000', {}],
    ] as const) {
      it(`works at ${where}, without leaving the process, and is told of with the end-user's address`, async () => {
        await using behind = await startService({ PUBLIC_URL: issuer, TRUSTED_PROXIES: '127.0.0.1' });
        const toUs = (url: string | URL | Request, init?: RequestInit) => {
          const { pathname, search } = new URL(String(url));
          const all = new Headers(init?.headers);
          all.set('x-forwarded-for', '192.0.2.7');
          for (const [name, value] of Object.entries(headers)) all.set(name, value);
          return fetch(`${behind.origin}${pathname}${search}`, { ...init, headers: all });
        };
        const agent = createUserAgent(new URL(issuer).origin, { fetch: toUs as typeof fetch });
        const page = await openAccountPage(behind, agent);
        assert.equal(page.response.status, 200, page.text);
        assert.equal(page.url, `${issuer}/account`);
        const cookies = await agent.cookies.getCookies(`${issuer}/account`);
        const { path, secure, httpOnly, sameSite } = cookies.find(({ key }) => /^(__Secure-)?account$/.test(key)) ?? {};
        const isSecure = issuer.startsWith('https:');
        const expected = { path: `${new URL(issuer).pathname.replace(/\/$/, '')}/account`, secure: isSecure };
        assert.deepEqual({ path, secure, httpOnly, sameSite }, { ...expected, httpOnly: true, sameSite: 'lax' });

        const lines = behind.log.map((line) => JSON.parse(line));
        const { ip, peer } = lines.find(({ event }) => event === 'tokenIssued') ?? {};
        assert.deepEqual({ ip, peer }, { ip: '192.0.2.7', peer: '127.0.0.1' });
        assert.deepEqual([...new Set(lines.filter((line) => line.path).map((line) => line.ip))], ['192.0.2.7']);
      });
    }

    it('is told of with the end-user’s address behind a web server that calls through a unix socket', async () => {
      const issuer = 'https://id.example.com';
      await using behind = await startService({ PUBLIC_URL: issuer });
      await using folder = await mkdtempDisposable(join(tmpdir(), 'identity-socket-'));
      const socketPath = join(folder.path, 'service');
      await using server = createServer(behind.app.handle);
      await once(server.listen(socketPath), 'listening');
      const headers = { host: 'id.example.com', 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': 'https' };
      const agent = createUserAgent(issuer, { fetch: fetchThrough(socketPath, headers) });
      const page = await openAccountPage(behind, agent);
      assert.equal(page.url, `${issuer}/account`, page.text);
      const issued = behind.log.map((line) => JSON.parse(line)).find(({ event }) => event === 'tokenIssued');
      assert.deepEqual([issued.ip, issued.peer], ['192.0.2.7', undefined]);
    });
  });

  describe('its session', () => {
    it('ends with the session of the provider', async () => {
      const agent = await accountAgent(service);
      await agent.submit(await agent.open(`${service.origin}/logout`), {}, 'sign-out');
      assert.ok((await agent.open(`${service.origin}/account`)).document.querySelector('#sign-in'));
    });

    it('ends with the account (security requirement R11)', async () => {
      const { id, username } = await addPerson();
      const agent = await accountAgent(service, username);
      await service.accounts.disable(id);
      assert.ok((await agent.open(`${service.origin}/account`)).document.querySelector('#sign-in'));
      const posted = await agent.open(`${service.origin}/account/profile`, {
        method: 'POST',
        body: new URLSearchParams({ name: 'Somebody' }),
      });
      assert.ok(posted.document.querySelector('#sign-in'));
      assert.equal((await service.accounts.find(id))?.claims.name, undefined);
    });

    it('has a new id after every sign-in, and the old one is worth nothing (security requirement R39)', async () => {
      await withMovingTime(async (pass) => {
        const agent = await accountAgent(service);
        const before = await agent.cookies.getCookies(`${service.origin}/account`);
        pass(11 * MINUTE);
        await openAccountPage(service, agent, '/password');
        const after = await agent.cookies.getCookies(`${service.origin}/account`);
        const idIn = (cookies: typeof before) => cookies.find(({ key }) => key === 'account')?.value;
        assert.ok(idIn(before) && idIn(after) && idIn(before) !== idIn(after));
        // who has the rest as it is now
        const thief = createUserAgent(service.origin);
        const ours = (key: string) => key.startsWith('account');
        for (const { key, value } of [
          ...after.filter((one) => !ours(one.key)),
          ...before.filter((one) => ours(one.key)),
        ]) {
          await thief.cookies.setCookie(`${key}=${value}; Path=${ours(key) ? '/account' : '/'}`, service.origin);
        }
        const { status, headers } = await thief.fetch(`${service.origin}/account`);
        assert.equal(status, 303);
        assert.equal(new URL(String(headers.get('location'))).pathname, '/authorize');
        assert.equal((await agent.fetch(`${service.origin}/account`)).status, 200);
      });
    });

    it('is renewed silently after half an hour, when a page is only looked at', async () => {
      await withMovingTime(async (pass) => {
        const agent = await accountAgent(service);
        pass(31 * MINUTE);
        const renewed = await agent.fetch(`${service.origin}/account/sessions`);
        assert.equal(new URL(String(renewed.headers.get('location'))).pathname, '/authorize');
        assert.equal(
          (await agent.open(`${service.origin}/account/sessions`)).url,
          `${service.origin}/account/sessions`,
        );
      });
    });
  });

  describe('what is dangerous', () => {
    for (const path of ['/password', '/email', '/authenticator/set-up']) {
      it(`asks somebody who signed in a while ago to sign in again: ${path}`, async () => {
        await withMovingTime(async (pass) => {
          const agent = await accountAgent(service);
          assert.equal((await agent.open(`${service.origin}/account${path}`)).url, `${service.origin}/account${path}`);
          pass(11 * MINUTE);
          const form = await agent.open(`${service.origin}/account${path}`);
          assert.equal(form.document.querySelector('#login')?.getAttribute('value'), 'alice');
          const page = await agent.submit(form, { login: 'alice', password: PASSWORD });
          assert.equal(page.url, `${service.origin}/account${path}`);
        });
      });
    }

    it('is left for the first page by whoever does not want to sign in again', async () => {
      await withMovingTime(async (pass) => {
        const agent = await accountAgent(service);
        pass(11 * MINUTE);
        const page = await agent.submit(await agent.open(`${service.origin}/account/password`), {}, 'cancel');
        assert.equal(page.url, `${service.origin}/account`);
      });
    });

    it('is not done for a form that was open for too long, which comes back', async () => {
      const { id, username } = await addPerson();
      await withMovingTime(async (pass) => {
        const agent = await accountAgent(service, username);
        const form = await agent.open(`${service.origin}/account/password`);
        pass(11 * MINUTE);
        const again = await agent.submit(form, { current: PASSWORD, password: NEW_PASSWORD });
        assert.ok(again.document.querySelector('#sign-in'));
        const { passwordHash } = (await service.accounts.find(id)) ?? {};
        const back = await agent.submit(again, { login: username, password: PASSWORD });
        assert.equal(back.url, `${service.origin}/account/password`);
        assert.equal((await service.accounts.find(id))?.passwordHash, passwordHash);
      });
    });

    it('is a form that somebody who signs in now has five minutes for, at least', async () => {
      const { username } = await addPerson();
      await withMovingTime(async (pass) => {
        const agent = await accountAgent(service, username);
        pass(5 * MINUTE - 10);
        const form = await agent.open(`${service.origin}/account/password`);
        pass(5 * MINUTE - 5);
        const changed = await agent.submit(form, { current: PASSWORD, password: NEW_PASSWORD });
        assert.equal(outcomeOf(changed), 'Your password is changed, and you are signed out everywhere else.');
      });
    });
  });

  describe('the profile', () => {
    it('takes another name, and none', async () => {
      const { id, username } = await addPerson();
      const agent = await accountAgent(service, username);
      const page = await agent.open(`${service.origin}/account/profile`);
      const saved = await agent.submit(page, { name: ' Ada <b> ' });
      assert.equal(saved.url, `${service.origin}/account/profile`);
      assert.equal(outcomeOf(saved), 'Your profile is saved.');
      assert.equal(saved.document.querySelector('#name')?.getAttribute('value'), 'Ada <b>');
      assert.equal((await service.accounts.find(id))?.claims.name, 'Ada <b>');
      assert.equal(outcomeOf(await agent.open(`${service.origin}/account/profile`)), undefined);
      await agent.submit(saved, { name: '' });
      assert.equal((await service.accounts.find(id))?.claims.name, undefined);
    });

    it('is not saved by a form from before somebody signed in anew, and leads back to the form', async () => {
      const agent = await accountAgent(service);
      const form = await agent.open(`${service.origin}/account/profile`);
      await agent.submit(await agent.open(`${service.origin}/logout`), {}, 'sign-out');
      await openAccountPage(service, agent);
      const refused = await agent.submit(form, { name: 'Too Late' });
      assert.equal(refused.response.status, 403);
      assert.match(String(refused.document.querySelector('h1')?.text), /Nothing was changed/);
      const next = String(refused.document.querySelector('#next')?.getAttribute('href'));
      const again = await agent.submit(await agent.open(`${service.origin}${next}`), { name: 'In Time' });
      assert.equal(outcomeOf(again), 'Your profile is saved.');
    });

    it('refuses a name that nobody could show, and keeps what was typed', async () => {
      const agent = await accountAgent(service);
      const page = await agent.open(`${service.origin}/account/profile`);
      const refused = await agent.submit(page, { name: 'x'.repeat(5000) });
      assert.equal(refused.response.status, 400);
      assert.ok(errorOf(refused));
      assert.equal(refused.document.querySelector('#name')?.getAttribute('value')?.length, 5000);
    });

    it('takes an address at once where there is no mail, unverified', async () => {
      const { id, username } = await addPerson({ email: 'before@example.org', email_verified: true });
      const agent = await accountAgent(service, username);
      const page = await agent.open(`${service.origin}/account/email`);
      const saved = await agent.submit(page, { email: 'after@example.org' });
      assert.equal(outcomeOf(saved), 'Your e-mail address is changed.');
      const { email, email_verified: isVerified } = (await service.accounts.find(id))?.claims ?? {};
      assert.deepEqual({ email, isVerified }, { email: 'after@example.org', isVerified: false });
    });

    for (const [what, email] of [
      ['one of another account', 'taken@example.org'],
      ['one that is none', 'not an address'],
      ['one with a line end', 'a@example.org\nbcc:b@example.org'],
      ['none', ''],
    ]) {
      it(`refuses an address in the same words: ${what}`, async () => {
        if (email === 'taken@example.org') await addPerson({ email });
        const { id, username } = await addPerson({ email: `own-${people}@example.org` });
        const agent = await accountAgent(service, username);
        const refused = await agent.submit(await agent.open(`${service.origin}/account/email`), {
          email: String(email),
        });
        assert.equal(refused.response.status, 400);
        assert.equal(errorOf(refused), 'This address cannot be used here. Check it, or choose another one.');
        assert.notEqual((await service.accounts.find(id))?.claims.email, email);
      });
    }
  });

  describe('the password', () => {
    it('is changed by whoever knows it, and ends every other session and all their tokens', async () => {
      const { username } = await addPerson();
      const party = await addRelyingParty(service);
      const other = createUserAgent(service.origin);
      const { url, checks } = await authorizationRequest(party, { scope: 'openid offline_access' });
      const tokens = await redeem(party, callbackOf(await signIn(other, url, username)), checks);

      const agent = await accountAgent(service, username);
      const form = await agent.open(`${service.origin}/account/password`);
      assert.match(form.text, /When you save a new password, you are signed out everywhere else\./);
      const changed = await agent.submit(form, { current: PASSWORD, password: NEW_PASSWORD });
      assert.equal(outcomeOf(changed), 'Your password is changed, and you are signed out everywhere else.');

      assert.equal(await silentError(party, other), 'login_required');
      assert.equal(await silentError(party, agent), undefined);
      const refresh = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) };
      assertTokenError(await postForm(party, '/token', refresh), 'invalid_grant');
      const fresh = createUserAgent(service.origin);
      const refused = await openAccountPage(service, fresh, '', { login: username });
      assert.equal(refused.response.status, 400);
      const page = await openAccountPage(service, fresh, '', { login: username, password: NEW_PASSWORD });
      assert.equal(page.url, `${service.origin}/account`);
    });

    /** A browser that has shown the password, and was not sent on yet: the step that it stands at. */
    async function answerSignIn(username: string): Promise<{ half: UserAgent; next: string }> {
      const half = createUserAgent(service.origin);
      const form = await half.open(`${service.origin}/account`);
      const body = new URLSearchParams({ login: username, password: PASSWORD });
      body.set('csrf', form.document.querySelector('[name=csrf]')?.getAttribute('value') ?? '');
      const action = new URL(form.document.querySelector('form')?.getAttribute('action') ?? '', form.url).href;
      const answered = await half.fetch(action, { method: 'POST', body });
      assert.equal(answered.status, 303);
      return { half, next: new URL(String(answered.headers.get('location')), action).href };
    }

    it('ends a sign-in with the old one that is answered but not resumed yet', async () => {
      const { username } = await addPerson();
      const { half, next } = await answerSignIn(username);
      const agent = await accountAgent(service, username);
      await agent.submit(await agent.open(`${service.origin}/account/password`), {
        current: PASSWORD,
        password: NEW_PASSWORD,
      });
      assert.equal((await half.open(next)).response.status, 400);
      assert.ok((await half.open(`${service.origin}/account`)).document.querySelector('#sign-in'));
    });

    for (const factor of ['', ' of two factors']) {
      it(`ends a sign-in${factor} with the old one that is answered after all others were ended`, async () => {
        const { username, id } = await addPerson();
        const { secret } = factor ? await giveApp(service, username) : { secret: '' };
        const { half, next } = await answerSignIn(username);
        const page = factor ? await half.open(next) : undefined;
        // nobody ends it: it was not there yet when that was done
        await service.accounts.setPassword(id, NEW_PASSWORD);
        const last = page ? await typeCode(half, page, codeOf(secret)) : await half.open(next);
        assert.equal(last.response.status, 400);
        assert.ok((await half.open(`${service.origin}/account`)).document.querySelector('#sign-in'));
      });
    }

    it('is changed by one of two who know the same one: what it became meanwhile stays', async () => {
      const { username, id } = await addPerson();
      const agents = await Promise.all([accountAgent(service, username), accountAgent(service, username)]);
      const forms = await Promise.all(agents.map((agent) => agent.open(`${service.origin}/account/password`)));
      const chosen = [NEW_PASSWORD, `another ${NEW_PASSWORD}`];
      await Promise.all(
        agents.map((agent, index) =>
          agent.submit(forms[index] as Page, { current: PASSWORD, password: String(chosen[index]) }),
        ),
      );
      const changes = service.log.filter((line) => line.includes('"passwordChanged"') && line.includes(id));
      assert.equal(changes.length, 1);
      const opening = chosen.map((password) => service.accounts.authenticate(username, password));
      assert.equal((await Promise.all(opening)).filter((found) => found?.id === id).length, 1);
    });

    for (const [what, values, error] of [
      ['the wrong current one', { current: 'wrong', password: NEW_PASSWORD }, /not your current password/],
      ['no current one', { current: '', password: NEW_PASSWORD }, /not your current password/],
      ['one that is too short', { current: PASSWORD, password: 'too short' }, /at least 15 characters/],
    ] as const) {
      it(`is not changed by ${what}`, async () => {
        const { id, username, passwordHash } = await addPerson();
        const agent = await accountAgent(service, username);
        const refused = await agent.submit(await agent.open(`${service.origin}/account/password`), values);
        assert.equal(refused.response.status, 400);
        assert.match(String(errorOf(refused)), error);
        assert.equal((await service.accounts.find(id))?.passwordHash, passwordHash);
      });
    }
  });

  describe('recent activity', () => {
    it('says in words what has happened, the newest first, and shows nobody else’s', async () => {
      const { username } = await addPerson();
      const agent = await accountAgent(service, username);
      await agent.submit(await agent.open(`${service.origin}/account/profile`), { name: 'Ada' });
      const items = await until(
        async () => itemsOf(await agent.open(`${service.origin}/account/activity`)),
        (found) => found.length >= 2,
      );
      assert.deepEqual(
        items.map((item) => item.replace(/\d{1,2} [A-Z][a-z]{2,3} \d{4}, \d\d:\d\d UTC/, ' …')),
        ['Profile changed … from 127.0.0.1', 'Signed in … from 127.0.0.1'],
      );
    });
  });

  describe('recent activity of an account whose applications are busy', () => {
    it('is not pushed away by what nobody is shown: whoever has a token could make as much of it as they like', async () => {
      const { id, username } = await addPerson();
      const agent = await accountAgent(service, username);
      const activity = async () => itemsOf(await agent.open(`${service.origin}/account/activity`));
      await until(activity, (found) => found.length > 0);
      const at = Math.floor(Date.now() / 1000) + 1;
      await service.store.auditEvents.append(
        Array.from({ length: 600 }, (_, n) => {
          return { id: `busy-${n}`, at, event: 'tokenIssued', accountId: id, facts: {} };
        }),
      );
      assert.match(String((await activity())[0]), /^Signed in/);
    });
  });

  describe('in German', () => {
    it('speaks German throughout', async () => {
      const agent: UserAgent = createUserAgent(service.origin, {
        fetch: ((url: string, init?: RequestInit) => {
          const headers = new Headers(init?.headers);
          headers.set('accept-language', 'de');
          return fetch(url, { ...init, headers });
        }) as typeof fetch,
      });
      await openAccountPage(service, agent);
      for (const path of ['', '/profile', '/email', '/password', '/sessions', '/applications', '/activity']) {
        const page = await agent.open(`${service.origin}/account${path}`);
        assert.equal(page.response.status, 200, path);
        assert.equal(page.document.querySelector('html')?.getAttribute('lang'), 'de');
      }
    });
  });
});

/** Events are kept a moment after they happen. */
async function until<T>(ask: () => Promise<T>, isEnough: (found: T) => boolean): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    const found = await ask();
    if (isEnough(found) || attempt >= 100) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
