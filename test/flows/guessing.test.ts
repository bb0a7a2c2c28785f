// Stories of guessing at passwords: what whoever guesses sees, and that the owner of the account gets in all the same.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGuesses } from '../../src/accounts/guesses.ts';
import {
  addRelyingParty,
  authorizationRequest,
  callbackOf,
  PASSWORD,
  type RelyingParty,
  signIn,
} from '../support/relying-party.ts';
import { newSecret, type Service, startService } from '../support/service.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';

const WRONG = 'correct horse cavalry';

let addresses = 0;
function newAddress(): string {
  addresses += 1;
  return `198.51.${Math.floor(addresses / 250)}.${addresses % 250}`;
}

/** Another browser in another place each time, unless it is told where. */
function browserAt(service: Service, address = newAddress()): UserAgent {
  return createUserAgent(service.origin, {
    fetch: (url: Parameters<typeof fetch>[0], init: RequestInit = {}) => {
      const headers = new Headers(init.headers);
      headers.set('x-forwarded-for', address);
      return fetch(url, { ...init, headers });
    },
  });
}

describe('Guessing at passwords', () => {
  let service: Service;
  let party: RelyingParty;
  let passed = 0;
  const clock = () => Math.floor(Date.now() / 1000) + passed;

  before(async () => {
    service = await startService({ TRUSTED_PROXIES: '127.0.0.1' }, { clock });
    party = await addRelyingParty(service);
  });
  after(() => service[Symbol.asyncDispose]());

  async function attempt(login: string, password: string, agent = browserAt(service)): Promise<Page> {
    return signIn(agent, (await authorizationRequest(party)).url, login, password);
  }

  const isIn = ({ response }: Page) => response.status === 303;

  /** As many failures as make the next attempt wait. */
  async function failUntilThrottled(...logins: string[]): Promise<void> {
    for (let time = 0; time < 6; time++) {
      assert.equal((await attempt(String(logins[time % logins.length]), WRONG)).response.status, 400);
    }
  }

  /** So many failures in a row, an hour apart, without their work. */
  async function failOften(accountId: string, times: number, { store, config } = service): Promise<void> {
    const [encryptionKey = ''] = config.encryptionKeys;
    const guesses = createGuesses({ rateLimits: store.rateLimits, encryptionKey, clock });
    for (let time = 0; time < times; time++) {
      const address = `203.0.${time}.1`;
      await guesses.attempt({ secret: 'password', whose: { accountId }, address }, async () => undefined);
      passed += 60 * 60;
    }
  }

  it('gets the same answer for nobody, a wrong password, a disabled account and an attempt too many (R48)', async () => {
    await service.accounts.add({ username: 'wrong1', password: PASSWORD });
    await service.accounts.add({ username: 'early1', password: PASSWORD });
    const disabled = await service.accounts.add({ username: 'asleep', password: PASSWORD });
    await service.accounts.disable(disabled.id);
    await failUntilThrottled('early1');
    const refusals = [
      await attempt('nobody', PASSWORD),
      await attempt('wrong1', WRONG),
      await attempt('asleep', PASSWORD),
      await attempt('early1', PASSWORD),
    ].map(({ url, response, text, document }) => {
      const uid = String(/\/login\/([\w-]+)/.exec(url)?.[1]);
      const csrf = String(document.querySelector('input[name=csrf]')?.getAttribute('value'));
      const sealed = String(/\?r=([\w.-]+)/.exec(text)?.[1]);
      const changing = ['date', 'x-request-id', 'keep-alive', 'connection', 'content-length'];
      const headers = [...response.headers].filter(([name]) => !changing.includes(name));
      const same = [uid, csrf, sealed, 'nobody', 'wrong1', 'asleep', 'early1'].reduce(
        (left, id) => left.replaceAll(id, ''),
        text,
      );
      return { status: response.status, headers, length: text.length - sealed.length, same };
    });
    assert.equal(refusals[0]?.status, 400);
    assert.match(String(refusals[0]?.same), /do not match/);
    for (const refusal of refusals.slice(1)) {
      assert.deepEqual({ ...refusal, length: 0 }, { ...refusals[0], length: 0 });
    }
  });

  for (const [name, spellings] of [
    ['case', ['dora', 'DORA', 'Dora']],
    ['width', ['dora', 'ｄｏｒａ', 'ＤＯＲＡ']],
    ['spaces', ['dora', '  dora', 'dora\t ']],
    ['the e-mail address', ['dora', 'dora@example.org', 'DORA@EXAMPLE.ORG']],
  ] as const) {
    it(`counts for one account over ${name} (R50)`, async () => {
      const { id } = await service.accounts.add({
        username: 'dora',
        password: PASSWORD,
        claims: { email: 'dora@example.org' },
      });
      try {
        await failUntilThrottled(...spellings);
        for (const spelling of spellings) assert.ok(!isIn(await attempt(spelling, PASSWORD)), spelling);
        passed += 30;
        assert.ok(isIn(await attempt(String(spellings[1]), PASSWORD)));
      } finally {
        await service.accounts.remove(id);
      }
    });
  }

  it('does not keep the owner out of a browser that the account signed in from before (R49)', async () => {
    const { id } = await service.accounts.add({ username: 'erin', password: PASSWORD });
    const known = browserAt(service);
    assert.ok(isIn(await attempt('erin', PASSWORD, known)));
    await failOften(id, 100);

    const { url } = await authorizationRequest(party, { prompt: 'login' });
    const form = await known.open(url.href);
    const attack = Array.from({ length: 20 }, () => attempt('erin', WRONG));
    const startedAt = performance.now();
    const signedIn = await known.submit(form, { login: 'erin', password: PASSWORD });
    const tookMs = performance.now() - startedAt;
    assert.ok(callbackOf(signedIn).searchParams.has('code'));
    assert.ok(tookMs < 2_000, `after ${tookMs} ms`);
    for (const page of await Promise.all(attack)) assert.equal(page.response.status, 400);
    assert.ok(!isIn(await attempt('erin', PASSWORD)), 'an unknown browser waits for a new password');

    const [encryptionKey = ''] = service.config.encryptionKeys;
    await createGuesses({ rateLimits: service.store.rateLimits, encryptionKey, clock }).forgive(id);
    assert.ok(isIn(await attempt('erin', PASSWORD)), 'and has it');
  });

  it('knows no browser from before a change of the password', async () => {
    const { id } = await service.accounts.add({ username: 'fred', password: PASSWORD });
    const known = browserAt(service);
    assert.ok(isIn(await attempt('fred', PASSWORD, known)));
    const fresh = 'another horse battery';
    await service.accounts.setPassword(id, fresh);
    await failUntilThrottled('fred');
    const { url } = await authorizationRequest(party, { prompt: 'login' });
    assert.equal((await signIn(known, url, 'fred', fresh)).response.status, 400);
  });

  it('is told to wait where too many attempts come from, and nothing about accounts (R49)', async () => {
    const [encryptionKey = ''] = service.config.encryptionKeys;
    const guesses = createGuesses({ rateLimits: service.store.rateLimits, encryptionKey, clock });
    for (let time = 0; time < 50; time++) {
      const whose = { loginKey: `name ${time}` };
      await guesses.attempt({ secret: 'password', whose, address: '2001:db8::1' }, async () => undefined);
    }
    for (const [login, password] of [
      ['alice', PASSWORD],
      ['nobody at all', WRONG],
    ] as const) {
      const agent = browserAt(service, '2001:db8::beef');
      const { response, document, text, url } = await attempt(login, password, agent);
      assert.equal(response.status, 429);
      assert.match(String(response.headers.get('retry-after')), /^\d{2,3}$/);
      assert.match(text, /Too many attempts/);
      assert.doesNotMatch(text, new RegExp(login));
      const again = await agent.open(new URL(String(document.querySelector('#next')?.getAttribute('href')), url).href);
      assert.ok(again.document.querySelector('#password'), 'the button leads back to the form');
    }
    assert.ok(isIn(await attempt('alice', PASSWORD, browserAt(service, '2001:db8:0:1::beef'))));
  });

  it('counts nothing that is refused before the password is looked at (R36, R52)', async () => {
    const { id } = await service.accounts.add({ username: 'gina', password: PASSWORD });
    for (let time = 0; time < 8; time++) {
      const agent = browserAt(service);
      const form = await agent.open((await authorizationRequest(party)).url.href);
      const forged = await agent.submit(form, { login: 'gina', password: WRONG, csrf: 'forged' });
      assert.equal(forged.response.status, 403);
      const long = await agent.submit(form, { login: 'gina', password: 'x'.repeat(1_025) });
      assert.equal(long.response.status, 400);
    }
    assert.ok(isIn(await attempt('gina', PASSWORD)));
    assert.ok(await service.accounts.remove(id));
  });

  it('is in the log, once for each attempt and without what was typed (R70)', async () => {
    const { length } = service.log;
    await failUntilThrottled('henry@example.org');
    await attempt('henry@example.org', WRONG);
    const lines = service.log.slice(length);
    const events = lines.map((line) => JSON.parse(line).event).filter((event) => String(event).startsWith('login'));
    assert.deepEqual(events, [...Array(6).fill('loginFailed'), 'loginThrottled']);
    assert.doesNotMatch(lines.join(), /henry/);
  });

  it('is shed when more sign in at once than can be served, first where nobody signed in before (R51)', async () => {
    const known = browserAt(service);
    assert.ok(isIn(await attempt('alice', PASSWORD, known)));
    const knownForm = await known.open((await authorizationRequest(party, { prompt: 'login' })).url.href);
    const crowd = await Promise.all(
      Array.from({ length: 46 }, async () => {
        const agent = browserAt(service);
        return { agent, form: await agent.open((await authorizationRequest(party)).url.href) };
      }),
    );
    const answers = crowd.map(({ agent, form }, at) => agent.submit(form, { login: `crowd ${at}`, password: WRONG }));
    const signedIn = await known.submit(knownForm, { login: 'alice', password: PASSWORD });
    assert.ok(isIn(signedIn), `${signedIn.response.status}`);
    const pages = await Promise.all(answers);
    const statuses = pages.map(({ response }) => {
      if (response.status === 503) assert.match(String(response.headers.get('retry-after')), /^[12]$/);
      return response.status;
    });
    assert.equal(statuses.filter((status) => status !== 400 && status !== 503).length, 0);
    assert.ok(statuses.includes(503) && statuses.includes(400), String(statuses));

    const at = statuses.indexOf(503);
    const { response, document } = pages[at] as Page;
    assert.match(
      document.querySelector('.facts')?.text ?? '',
      new RegExp(String(response.headers.get('x-request-id'))),
    );
    const again = new URL(String(document.querySelector('#next')?.getAttribute('href')), response.url);
    const form = await crowd[at]?.agent.open(again.href);
    assert.ok(form?.document.querySelector('#password'), 'trying again leads back to the form');
  });
});

describe('Counting over restarts and processes (R53)', () => {
  let folder: string;
  let environment: Record<string, string>;
  let passed = 0;
  const clock = () => Math.floor(Date.now() / 1000) + passed;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'identity-guessing-'));
    environment = {
      TRUSTED_PROXIES: '127.0.0.1',
      DATABASE_URL: `sqlite:${join(folder, 'identity.db')}`,
      COOKIE_SECRET: newSecret(),
      ENCRYPTION_KEY: newSecret(),
      JWT_SECRET_KEY: newSecret(),
    };
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function attemptAt(service: Service): Promise<(password: string) => Promise<number>> {
    const party = await addRelyingParty(service);
    return async (password) => {
      const { url } = await authorizationRequest(party);
      return (await signIn(browserAt(service), url, 'alice', password)).response.status;
    };
  }

  it('begins where the process before it ended', async () => {
    {
      await using service = await startService(environment, { clock });
      const attempt = await attemptAt(service);
      for (let time = 0; time < 4; time++) assert.equal(await attempt(WRONG), 400);
    }
    await using service = await startService(environment, { clock });
    const attempt = await attemptAt(service);
    for (let time = 0; time < 2; time++) assert.equal(await attempt(WRONG), 400);
    assert.equal(await attempt(PASSWORD), 400);
    passed += 30;
    assert.equal(await attempt(PASSWORD), 303);
  });

  it('goes on in the other process', async () => {
    await using one = await startService(environment, { clock });
    await using other = await startService(environment, { clock });
    const attempts = [await attemptAt(one), await attemptAt(other)];
    for (const attempt of [...attempts, ...attempts, ...attempts]) assert.equal(await attempt(WRONG), 400);
    for (const attempt of attempts) assert.equal(await attempt(PASSWORD), 400);
    passed += 30;
    for (const attempt of attempts) assert.equal(await attempt(PASSWORD), 303);
  });
});
