// Signing in with a passkey over HTTP: in the place of name and password, and as the second factor.
import assert from 'node:assert/strict';
import type { Account } from '../../src/store.ts';
import type { Claims, SoftPasskey } from '../support/authenticator.ts';
import { createSoftPasskey } from '../support/authenticator.ts';
import { enrolPasskey, passkeyOptions, usePasskey } from '../support/passkeys.ts';
import {
  addRelyingParty,
  authorizationRequest,
  callbackOf,
  continueSession,
  type RelyingParty,
  redeem,
  signIn,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';

const REFUSED = 'This passkey does not work here. Try another way to sign in.';

describe('signing in with a passkey', () => {
  let service: Service;
  let party: RelyingParty;
  let alice: Account;
  let passkey: SoftPasskey;

  before(async () => {
    service = await startService({}, { hostname: 'localhost' });
    party = await addRelyingParty(service);
    alice = (await service.accounts.findByUsername('alice')) as Account;
    passkey = await enrolPasskey(service, alice);
  });
  after(() => service?.[Symbol.asyncDispose]());

  const newAgent = () => createUserAgent(service.issuer);

  async function openLogin(agent: UserAgent, parameters: Record<string, string> = {}) {
    const { url, checks } = await authorizationRequest(party, parameters);
    return { page: await agent.open(url.href), checks };
  }

  const events = (name: string) =>
    service.log.map((line) => JSON.parse(line)).filter(({ event }: { event: string }) => event === name);

  it('needs neither name nor password, and is told as two factors at once (RFC 8176 §2)', async () => {
    const agent = newAgent();
    const { page, checks } = await openLogin(agent);
    const tokens = await redeem(party, callbackOf(await usePasskey(agent, page, passkey)), checks);
    const claims = tokens.claims();
    assert.equal(claims?.sub, alice.id);
    assert.equal(claims?.['acr'], 'phr');
    assert.deepEqual(methodsOf(claims), ['hwk', 'mfa', 'user']);
    assert.equal(events('loginSucceeded').at(-1)['accountId'], alice.id);
  });

  it('makes a session as good as one by password', async () => {
    const agent = newAgent();
    const { page } = await openLogin(agent);
    await usePasskey(agent, page, passkey);
    assert.equal((await continueSession(party, agent, { acr_values: 'phr' })).claims['acr'], 'phr');
  });

  it('is the second factor after the password, told with both (RFC 8176 §2)', async () => {
    const agent = newAgent();
    const { url, checks } = await authorizationRequest(party);
    const second = await signIn(agent, url);
    const sentence = second.document.querySelector('#confirm')?.text;
    assert.equal(sentence, 'Your password is right. Now confirm with your passkey.');
    const options = passkeyOptions(second);
    assert.deepEqual(
      options.allowCredentials?.map(({ id }) => id),
      [passkey.id],
    );
    const done = await usePasskey(agent, second, passkey, { userVerified: false });
    const claims = (await redeem(party, callbackOf(done), checks)).claims();
    assert.equal(claims?.['acr'], 'phr');
    assert.deepEqual(methodsOf(claims), ['hwk', 'mfa', 'pwd', 'user']);
  });

  it('is asked for in a session by password without a word of the password, which nobody has typed just now', async () => {
    const dave = await service.accounts.add({ username: 'dave', password: 'seven quiet lanterns drift' });
    const agent = newAgent();
    const begun = await authorizationRequest(party);
    callbackOf(await signIn(agent, begun.url, 'dave', 'seven quiet lanterns drift'));
    await enrolPasskey(service, dave);
    const { page } = await openLogin(agent, { acr_values: 'phr' });
    const sentence = page.document.querySelector('#confirm')?.text;
    assert.equal(sentence, 'Now confirm with your passkey that it is you.');
  });

  const refusals: [string, Partial<Claims>, string, string][] = [
    ['of another origin', { origin: 'https://evil.example' }, REFUSED, 'response'],
    ['with a counter that went back', { counter: 0 }, REFUSED, 'counter'],
    [
      'that asked for no PIN or fingerprint',
      { userVerified: false },
      'Your passkey did not check that it is you. Sign in with your password first.',
      'unverified',
    ],
  ];
  for (const [what, claims, sentence, reason] of refusals) {
    it(`answers an answer ${what} with a sentence, and goes on from there`, async () => {
      const agent = newAgent();
      const { page, checks } = await openLogin(agent);
      const refused = await usePasskey(agent, page, passkey, claims);
      assert.equal(refused.response.status, 400);
      assert.equal(refused.document.querySelector('[role=alert] p')?.textContent, sentence);
      const event = events('passkeyRefused').at(-1);
      assert.deepEqual([event.reason, event.level], [reason, 40]);
      const done = await usePasskey(agent, refused, passkey);
      assert.ok((await redeem(party, callbackOf(done), checks)).access_token);
    });
  }

  it('says the same to an unknown passkey as to that of a disabled account', async () => {
    const bob = await service.accounts.add({ username: 'bob' });
    const disabled = await enrolPasskey(service, bob);
    await service.accounts.disable(bob.id);
    const unknown = createSoftPasskey(service.issuer);
    const answers = [];
    for (const [one, claims] of [
      [disabled, {}],
      [unknown, { userHandle: 'AAAA' }],
    ] as const) {
      const agent = newAgent();
      const { page } = await openLogin(agent);
      answers.push(withoutSecrets(await usePasskey(agent, page, one, claims)));
    }
    assert.deepEqual(answers[0], answers[1]);
    assert.deepEqual(
      events('passkeyRefused')
        .slice(-2)
        .map(({ reason, accountId }) => [reason, accountId]),
      [
        ['disabled', bob.id],
        ['unknown', undefined],
      ],
    );
  });

  it('refuses the passkey of another account as a second factor, and asks again', async () => {
    const carol = await service.accounts.add({ username: 'carol' });
    const other = await enrolPasskey(service, carol);
    const agent = newAgent();
    const { url, checks } = await authorizationRequest(party);
    const refused = await usePasskey(agent, await signIn(agent, url), other);
    assert.equal(refused.response.status, 400);
    assert.match(refused.text, /This passkey does not work here/);
    const done = await usePasskey(agent, refused, passkey);
    assert.equal((await redeem(party, callbackOf(done), checks)).claims()?.sub, alice.id);
  });

  it('takes each answer once, and none of another sign-in (Web Authentication §13.4.3)', async () => {
    const agent = newAgent();
    const { page } = await openLogin(agent);
    const answer = passkey.get(passkeyOptions(page));
    assert.equal((await agent.submit(page, { passkey: answer }, 'use-passkey')).response.status, 303);
    for (const stranger of [newAgent(), newAgent()]) {
      const { page: another } = await openLogin(stranger);
      const refused = await stranger.submit(another, { passkey: answer }, 'use-passkey');
      assert.equal(refused.response.status, 400);
    }
    assert.equal(events('passkeyRefused').at(-1).reason, 'challenge');
  });

  it('says so when the page was open for too long, and offers a fresh challenge', () =>
    withMovingTime(async (pass) => {
      const agent = newAgent();
      const { page } = await openLogin(agent);
      pass(6 * 60);
      const late = await usePasskey(agent, page, passkey);
      assert.match(late.text, /That took too long\. Try again\./);
      callbackOf(await usePasskey(agent, late, passkey));
    }));

  it('leads back to the page from the address of a refusal, reloaded', async () => {
    const agent = newAgent();
    const { page } = await openLogin(agent);
    const refused = await agent.submit(page, { passkey: '' }, 'use-passkey');
    const again = await agent.open(refused.url);
    assert.ok(again.document.querySelector('#password'), again.text);
  });

  it('is not taken from a form that is not ours (security requirement R36)', async () => {
    const agent = newAgent();
    const { page } = await openLogin(agent);
    const refused = await agent.submit(page, { csrf: 'x', passkey: passkey.get(passkeyOptions(page)) }, 'use-passkey');
    assert.equal(refused.response.status, 403);
  });

  it('lets two scripts run on the page, and no other (R40)', async () => {
    const { page } = await openLogin(newAgent());
    const scripts = page.document.querySelectorAll('script');
    const sources = scripts.map((script) => String(script.getAttribute('src')));
    assert.match(String(sources[0]), /^\/scripts\/forms-[\w-]{16}\.js$/);
    assert.match(String(sources[1]), /^\/scripts\/passkeys-[\w-]{16}\.js$/);
    assert.equal(sources.length, 2);
    for (const script of scripts) assert.equal(script.textContent, '');
    const policy = String(page.response.headers.get('content-security-policy'));
    const allowed = sources.map((source) => `${service.issuer}${source}`);
    assert.ok(policy.includes(`script-src ${allowed.join(' ')};`), policy);
    assert.doesNotMatch(policy, /connect-src|unsafe|script-src[^;]*'self'/);

    for (const url of allowed) {
      const script = await fetch(url);
      assert.equal(script.status, 200);
      assert.match(String(script.headers.get('content-type')), /^text\/javascript; charset=utf-8$/);
      assert.equal(script.headers.get('x-content-type-options'), 'nosniff');
      assert.equal(script.headers.get('cache-control'), 'public, max-age=31536000, immutable');
      assert.equal(script.headers.get('set-cookie'), null);
    }
  });

  it('is not offered, and its script does not run, where the issuer is an IP address', async () => {
    await using elsewhere = await startService();
    const { url } = await authorizationRequest(await addRelyingParty(elsewhere));
    const agent = createUserAgent(elsewhere.origin);
    const page = await agent.open(url.href);
    assert.doesNotMatch(page.text, /passkey|webauthn/i);
    assert.equal((await agent.open(`${elsewhere.origin}/account/passkeys`)).response.status, 404);
    const policy = String(page.response.headers.get('content-security-policy'));
    assert.match(policy, /script-src http:\S+\/scripts\/forms-[\w-]{16}\.js;/);
  });
});

function methodsOf(claims: Record<string, unknown> | undefined): string[] {
  return [...((claims?.['amr'] ?? []) as string[])].sort();
}

/** What two answers may differ in. */
function withoutSecrets({ response, text }: Page) {
  const fields = text.replace(/(name="csrf" value|action|data-passkey)="[^"]*"/g, '$1');
  return { status: response.status, fields };
}
