// Stories of the second factor at sign-in: asked for, enrolled, recovered from, and never got around.
import assert from 'node:assert/strict';
import { createAccountSessions } from '../../src/provider/account-sessions.ts';
import {
  addRelyingParty,
  authorizationRequest,
  callbackOf,
  PASSWORD,
  type RelyingParty,
  showPassword as showPasswordTo,
  signIn,
  silentError,
} from '../support/relying-party.ts';
import { codeOf, giveApp, keyOn, secondFactorsOf, typeCode, withinOneStep } from '../support/second-factors.ts';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';

describe('The second factor', () => {
  let service: Service;
  let party: RelyingParty;
  let people = 0;
  before(async () => {
    service = await startService();
    party = await addRelyingParty(service);
  });
  after(() => service[Symbol.asyncDispose]());

  /** A new account; without a name that another story knows. */
  async function addPerson(account: { requiresMfa?: boolean } = {}): Promise<{ username: string; id: string }> {
    people += 1;
    const added = await service.accounts.add({ username: `person-${people}`, password: PASSWORD });
    if (account.requiresMfa) await service.accounts.requireMfa(added.id, true);
    return added;
  }

  const showPassword = (username: string, parameters?: Record<string, string>, at = party) =>
    showPasswordTo(at, username, parameters);

  const hasSession = async (agent: UserAgent) => (await silentError(party, agent)) === undefined;

  it('is asked for after the password, and both are told in amr and acr (RFC 8176 §2)', async () => {
    const { username } = await addPerson();
    const { secret } = await giveApp(service, username);
    const { agent, page, finish } = await showPassword(username);
    assert.match(page.url, /\/second-factor\?r=/);
    assert.equal(page.document.querySelector('#code')?.getAttribute('autocomplete'), 'one-time-code');
    const claims = (await finish(await typeCode(agent, page, codeOf(secret)))).claims();
    assert.deepEqual([claims?.['acr'], claims?.['amr']], ['aal2', ['pwd', 'otp', 'mfa']]);
    assert.ok(await hasSession(agent));
  });

  it('makes the browser known by each of two answers to a code that is sent twice', async () => {
    const { username } = await addPerson();
    const { secret } = await giveApp(service, username);
    const { agent, page } = await showPassword(username);
    const csrf = page.document.querySelector('[name=csrf]')?.getAttribute('value') ?? '';
    const send = () =>
      fetch(page.url, {
        method: 'POST',
        body: new URLSearchParams({ csrf, code: codeOf(secret) }),
        headers: { cookie: agent.cookies.getCookieStringSync(page.url) },
        redirect: 'manual',
      });
    for (const { status, headers } of [await send(), await send()]) {
      assert.equal(status, 303);
      assert.ok(headers.getSetCookie().some((cookie) => cookie.startsWith('device=')));
    }
  });

  it('is not asked of an account that has none, which gets aal1', async () => {
    const { username } = await addPerson();
    const { page, finish } = await showPassword(username);
    const claims = (await finish(page)).claims();
    assert.deepEqual([claims?.['acr'], claims?.['amr']], ['aal1', ['pwd']]);
  });

  it('leaves no session before it is shown, whatever the browser opens', async () => {
    const { username } = await addPerson();
    await giveApp(service, username);
    const { agent, page } = await showPassword(username);
    const uid = new URL(page.url).pathname.split('/')[2];
    assert.equal(await hasSession(agent), false);
    const resumed = await agent.open(`${service.origin}/authorize/${uid}`);
    assert.ok(resumed.document.querySelector('#password'), 'resuming asks for the password again');
    assert.equal(await hasSession(agent), false);
  });

  for (const [what, codeFor] of [
    ['a wrong code', () => '000000'],
    ['a code of two steps ago', (secret: string) => codeOf(secret, -2)],
    ['a code that is three steps ahead', (secret: string) => codeOf(secret, 3)],
    ['no code', () => ''],
    ['a text', () => 'abcdef'],
    ['a long text', () => '1'.repeat(5000)],
    ['a recovery code that is not one', () => 'k7mq-2xv9-h4td-8wz3'],
  ] as [string, (secret: string) => string][]) {
    it(`refuses ${what}, and lets the end-user try again`, async () => {
      const { username } = await addPerson();
      const { secret } = await giveApp(service, username);
      const { agent, page, finish } = await showPassword(username);
      const refused = await typeCode(agent, page, codeFor(secret));
      assert.equal(refused.response.status, 400);
      assert.match(refused.document.querySelector('[role=alert]')?.text ?? '', /does not work/);
      assert.equal(await hasSession(agent), false);
      assert.ok((await finish(await typeCode(agent, refused, codeOf(secret)))).id_token);
    });
  }

  it('accepts the codes beside the one of now, in groups and in other digits (RFC 6238 §5.2)', () =>
    withinOneStep(async () => {
      for (const write of [
        (secret: string) => codeOf(secret, -1),
        (secret: string) => codeOf(secret, 1),
        (secret: string) => codeOf(secret).replace(/^.../, '$& '),
        (secret: string) => codeOf(secret).replaceAll(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit))),
      ]) {
        const { username } = await addPerson();
        const { secret } = await giveApp(service, username);
        const { agent, page, finish } = await showPassword(username);
        assert.ok((await finish(await typeCode(agent, page, write(secret)))).id_token);
      }
    }));

  it('refuses a code that was used, also for another sign-in (RFC 6238 §5.2)', async () => {
    const { username } = await addPerson();
    const { secret } = await giveApp(service, username);
    const first = await showPassword(username);
    const code = codeOf(secret);
    callbackOf(await typeCode(first.agent, first.page, code));
    const second = await showPassword(username);
    const refused = await typeCode(second.agent, second.page, code);
    assert.equal(refused.response.status, 400);
    assert.match(refused.document.querySelector('[role=alert]')?.text ?? '', /was used already/);
    assert.equal(await hasSession(second.agent), false);
  });

  for (const step of ['second-factor', 'recovery-code']) {
    it(`finishes once when the form of ${step} is submitted twice at the same time`, async () => {
      const { username } = await addPerson();
      const { secret, recoveryCodes } = await giveApp(service, username);
      const { agent, page } = await showPassword(username);
      const body = new URLSearchParams({
        csrf: page.document.querySelector('[name=csrf]')?.getAttribute('value') ?? '',
        code: step === 'recovery-code' ? String(recoveryCodes[0]) : codeOf(secret),
      });
      const url = page.url.replace('second-factor', step);
      const answers = await Promise.all([1, 2].map(() => agent.fetch(url, { method: 'POST', body })));
      for (const { status, headers } of answers) {
        assert.equal(status, 303);
        assert.match(headers.get('location') ?? '', /\/authorize\//);
      }
    });
  }

  it('is replaced by a recovery code, in any spelling, once each', async () => {
    const { username, id } = await addPerson();
    const { recoveryCodes } = await giveApp(service, username);
    const [code = ''] = recoveryCodes;
    for (const [written, works] of [
      [` ${code.toUpperCase().replaceAll('-', ' ').replaceAll('1', 'l').replaceAll('0', 'O')}`, true],
      [code, false],
    ] as const) {
      const { agent, page, finish } = await showPassword(username);
      const link = page.document.querySelector('#other')?.getAttribute('href');
      const recovery = await agent.open(new URL(String(link), page.url).href);
      const last = await typeCode(agent, recovery, written);
      if (works) assert.deepEqual((await finish(last)).claims()?.['amr'], ['pwd', 'mfa']);
      else assert.equal(last.response.status, 400);
      assert.equal(await hasSession(agent), works);
    }
    assert.equal((await secondFactorsOf(service).factorsOf(id)).recoveryCodes, 9);
  });

  it('counts as a guess: after enough wrong codes a right one does not help (security requirement R49)', async () => {
    const { username } = await addPerson();
    const { secret } = await giveApp(service, username);
    const { agent, page } = await showPassword(username);
    let last = page;
    for (let attempt = 0; attempt < 7; attempt += 1) last = await typeCode(agent, last, '000000');
    const right = await typeCode(agent, last, codeOf(secret));
    assert.equal(right.response.status, 400);
    assert.equal(await hasSession(agent), false);
  });

  it('lets its owner in from a known browser while somebody guesses elsewhere (security requirement R49)', () =>
    withinOneStep(async () => {
      const { username } = await addPerson();
      const { secret } = await giveApp(service, username);
      const owner = await showPassword(username);
      callbackOf(await typeCode(owner.agent, owner.page, codeOf(secret, -1)));
      const thief = await showPassword(username);
      let last = thief.page;
      for (let attempt = 0; attempt < 8; attempt += 1) last = await typeCode(thief.agent, last, '000000');
      const { url } = await authorizationRequest(party, { prompt: 'login' });
      const page = await signIn(owner.agent, url, username);
      callbackOf(await typeCode(owner.agent, page, codeOf(secret)));
      const refused = await typeCode(thief.agent, last, codeOf(secret, 1));
      assert.equal(refused.response.status, 400, 'elsewhere the right code has to wait');
    }));

  it('needs the password again half an hour later', async () => {
    await withMovingTime(async (pass) => {
      const { username } = await addPerson();
      const { secret } = await giveApp(service, username);
      const { agent, page } = await showPassword(username);
      pass(31 * 60);
      const last = await typeCode(agent, page, codeOf(secret));
      assert.ok(last.document.querySelector('#password'));
      assert.equal(await hasSession(agent), false);
    });
  });

  it('does not help when the sessions of the account were ended meanwhile, even behind another sign-in', async () => {
    const { username, id } = await addPerson();
    const other = await addPerson();
    const { secret } = await giveApp(service, username);
    const { agent, page } = await showPassword(username);
    const uidOf = ({ url }: Page) => new URL(url).pathname.split('/')[2];
    const next = await agent.open(`${service.origin}/authorize/${uidOf(page)}`);
    await createAccountSessions(service.store).endAll(id);
    const csrf = next.document.querySelector('[name=csrf]')?.getAttribute('value') ?? '';
    const body = new URLSearchParams({ csrf, login: other.username, password: PASSWORD });
    assert.equal((await agent.fetch(next.url, { method: 'POST', body })).status, 303);
    const code = new URLSearchParams({ csrf, code: codeOf(secret) });
    const url = `${service.origin}/login/${uidOf(next)}/second-factor`;
    await agent.open(url, { method: 'POST', body: code });
    const claims = JSON.stringify({ id_token: { sub: { value: id } } });
    const silent = await authorizationRequest(party, { prompt: 'none', claims });
    const error = callbackOf(await agent.open(silent.url.href)).searchParams.get('error');
    assert.equal(error, 'login_required', 'the account is signed in');
  });

  it('does not help when the account was disabled meanwhile (security requirement R11)', async () => {
    const { username, id } = await addPerson();
    const { secret } = await giveApp(service, username);
    const { agent, page } = await showPassword(username);
    await service.accounts.disable(id);
    const last = await typeCode(agent, page, codeOf(secret));
    assert.equal(last.response.status, 400);
    assert.equal(await hasSession(agent), false);
  });

  it('takes no form without its token, and none of another interaction (security requirements R36, R37)', async () => {
    const { username } = await addPerson();
    const { secret } = await giveApp(service, username);
    const { agent, page } = await showPassword(username);
    const other = await showPassword(username);
    const token = other.page.document.querySelector('[name=csrf]')?.getAttribute('value') ?? '';
    for (const csrf of ['', token]) {
      const body = new URLSearchParams({ csrf, code: codeOf(secret) });
      assert.equal((await agent.fetch(page.url, { method: 'POST', body })).status, 403);
    }
    const stolen = await createUserAgent(service.origin).open(page.url);
    assert.equal(stolen.response.status, 400);
    assert.equal(await hasSession(agent), false);
  });

  it('leaves a trail of what happened, and of no code (security requirement R70)', async () => {
    const { username, id } = await addPerson();
    const { secret, recoveryCodes } = await giveApp(service, username);
    const [recoveryCode = ''] = recoveryCodes;
    const { agent, page } = await showPassword(username);
    await typeCode(agent, page, '000000');
    const recovery = await agent.open(page.url.replace('second-factor', 'recovery-code'));
    callbackOf(await typeCode(agent, recovery, recoveryCode));
    const lines = service.log.filter((line) => line.includes(id));
    const events = lines.map((line) => JSON.parse(line).event).filter((event) => event !== undefined);
    assert.deepEqual(
      events.filter((event) => /Factor|recovery|login/.test(event)),
      ['secondFactorFailed', 'recoveryCodeUsed', 'loginSucceeded'],
    );
    for (const code of [secret, recoveryCode, '000000']) {
      assert.ok(!service.log.some((line) => line.includes(code)), 'no code is logged');
    }
  });

  it('is cancelled like any sign-in', async () => {
    const { username } = await addPerson();
    await giveApp(service, username);
    const { agent, page } = await showPassword(username);
    const callback = callbackOf(await agent.submit(page, {}, 'cancel'));
    assert.equal(callback.searchParams.get('error'), 'access_denied');
  });

  describe('where it is needed and there is none', () => {
    /** From the page of the enrolment to the authorization response; the codes that were shown. */
    async function enrol(agent: UserAgent, page: Page) {
      const secret = keyOn(page);
      const codes = await agent.submit(page, { code: codeOf(secret) }, 'enrol');
      const shown = codes.document.querySelectorAll('#recovery-codes code').map(({ text }) => text);
      return { secret, codes, shown, last: await agent.submit(codes, { kept: 'yes' }, 'go-on') };
    }

    it('is enrolled within the sign-in, for a client that requires it', () =>
      withinOneStep(async () => {
        const strict = await addRelyingParty(service, { require_mfa: true });
        const { username, id } = await addPerson();
        const { agent, page, finish } = await showPassword(username, {}, strict);
        assert.match(page.url, /\/authenticator\?r=/);
        assert.equal(page.document.querySelector('#skip'), null);
        assert.equal(await hasSession(agent), false);
        const { secret, shown, last } = await enrol(agent, page);
        assert.equal(new Set(shown).size, 10);
        assert.equal((await finish(last)).claims()?.['acr'], 'aal2');
        assert.deepEqual(await secondFactorsOf(service).factorsOf(id), { totp: true, recoveryCodes: 10, passkeys: 0 });
        const again = await showPassword(username);
        const replay = await typeCode(again.agent, again.page, codeOf(secret));
        assert.equal(replay.response.status, 400, 'the code of the enrolment is used');
        const next = await typeCode(again.agent, replay, codeOf(secret, 1));
        assert.ok((await again.finish(next)).id_token);
      }));

    it('is enrolled for an account that requires it', async () => {
      const { username } = await addPerson({ requiresMfa: true });
      const { agent, page, finish } = await showPassword(username);
      const { last } = await enrol(agent, page);
      assert.equal((await finish(last)).claims()?.['acr'], 'aal2');
    });

    it('shows the same key however often the page is opened, and none for another sign-in', async () => {
      const { username } = await addPerson({ requiresMfa: true });
      const { agent, page } = await showPassword(username);
      assert.equal(keyOn(await agent.open(page.url)), keyOn(page));
      assert.notEqual(keyOn((await showPassword(username)).page), keyOn(page));
    });

    it('shows the recovery codes until they are kept, and goes on only then', async () => {
      const { username } = await addPerson({ requiresMfa: true });
      const { agent, page } = await showPassword(username);
      const codes = await agent.submit(page, { code: codeOf(keyOn(page)) }, 'enrol');
      const unkept = await agent.submit(codes, { kept: '' }, 'go-on');
      assert.equal(unkept.url, codes.url);
      assert.equal(await hasSession(agent), false);
      assert.equal((await agent.open(codes.url)).text, unkept.text);
      callbackOf(await agent.submit(unkept, { kept: 'yes' }, 'go-on'));
      assert.ok(await hasSession(agent));
    });

    it('is not enrolled by a wrong code', async () => {
      const { username, id } = await addPerson({ requiresMfa: true });
      const { agent, page } = await showPassword(username);
      const refused = await agent.submit(page, { code: '000000' }, 'enrol');
      assert.equal(refused.response.status, 400);
      assert.equal(keyOn(refused), keyOn(page));
      assert.equal((await secondFactorsOf(service).factorsOf(id)).totp, false);
      assert.ok((await enrol(agent, refused)).last.response.headers.get('location'));
    });

    it('cannot be skipped where it is required', async () => {
      const { username } = await addPerson({ requiresMfa: true });
      const { agent, page } = await showPassword(username);
      const csrf = page.document.querySelector('[name=csrf]')?.getAttribute('value') ?? '';
      const skip = page.url.replace('/authenticator', '/authenticator/skip');
      const last = await agent.open(skip, { method: 'POST', body: new URLSearchParams({ csrf }) });
      assert.equal(keyOn(last), keyOn(page));
      assert.equal(await hasSession(agent), false);
    });

    it('is offered, not demanded, where acr_values only wish for it (OIDC Core §3.1.2.1)', async () => {
      const { username } = await addPerson();
      const { agent, page, finish } = await showPassword(username, { acr_values: 'aal2' });
      const claims = (await finish(await agent.submit(page, {}, 'skip'))).claims();
      assert.deepEqual([claims?.['acr'], claims?.['amr']], ['aal1', ['pwd']]);
    });

    it('is never enrolled in the place of one that there is', async () => {
      const { username, id } = await addPerson({ requiresMfa: true });
      const { agent, page } = await showPassword(username);
      const { secret } = await giveApp(service, username);
      const last = await agent.submit(page, { code: codeOf(keyOn(page)) }, 'enrol');
      assert.match(last.url, /\/second-factor/);
      assert.equal((await service.store.secondFactors.findTotp(id))?.secret, secret);
      assert.match((await agent.open(page.url)).url, /\/second-factor/);
    });

    it('is enrolled by one of two sign-ins at once, and not by the other one afterwards', async () => {
      const { id } = await addPerson({ requiresMfa: true });
      const factors = secondFactorsOf(service);
      const confirmations = ['one sign-in', 'another sign-in'].map(async (place) => {
        const { secret } = await factors.beginTotp(id, place);
        return { secret, confirm: () => factors.confirmTotp(id, place, codeOf(secret), { replaces: false }) };
      });
      const [one, other] = await Promise.all(confirmations);
      assert.ok(one && other);
      const outcomes = await Promise.all([one.confirm(), other.confirm()]);
      assert.deepEqual(outcomes.toSorted(), [false, true]);
      const enrolled = outcomes[0] ? one : other;
      assert.equal((await service.store.secondFactors.findTotp(id))?.secret, enrolled.secret);
      assert.equal(await (enrolled === one ? other : one).confirm(), false);
    });

    it('is not enrolled with a session alone: the password comes first', async () => {
      const { username, id } = await addPerson();
      const { agent, page, finish } = await showPassword(username);
      await finish(page);
      await service.accounts.requireMfa(id, true);
      const { url } = await authorizationRequest(party);
      const form = await agent.open(url.href);
      assert.ok(form.document.querySelector('#password'));
      const enrolment = form.url.replace('?', '/authenticator?');
      assert.ok((await agent.open(enrolment)).document.querySelector('#password'));
      assert.equal((await secondFactorsOf(service).factorsOf(id)).totp, false);
    });
  });
});
