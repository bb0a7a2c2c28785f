// Passkeys: what browsers are asked for, and every answer that is not believed.
import assert from 'node:assert/strict';
import { createPasskeyChallenges } from '../../src/accounts/passkey-challenges.ts';
import { suggestedPasskeyName } from '../../src/accounts/passkey-names.ts';
import { createPasskeyCeremonies, type PasskeyCeremonies } from '../../src/accounts/passkeys.ts';
import type { Account } from '../../src/store.ts';
import { type Claims, createSoftPasskey, type SoftPasskey } from '../support/authenticator.ts';
import { openTemporaryStore, type TemporaryStore } from './temporary-store.ts';

const ORIGIN = 'https://id.example.com';
const BROWSER = 'Firefox on Linux';
const SECRETS: [string, string] = ['the first secret of this test', 'the one before'];
const MINUTE = 60;

describe('passkeys', () => {
  let temporary: TemporaryStore;
  let alice: Account;
  let bob: Account;

  beforeEach(async () => {
    temporary = await openTemporaryStore();
    [alice, bob] = (await Promise.all(['alice', 'bob'].map(add))) as [Account, Account];
  });
  afterEach(() => temporary?.[Symbol.asyncDispose]());

  async function add(username: string): Promise<Account> {
    const account = { id: `00000000-0000-4000-8000-${username.padStart(12, '0')}`, username, claims: {}, createdAt: 1 };
    await temporary.store.accounts.insert(account, [username]);
    return account;
  }

  function ceremonies(issuer = `${ORIGIN}/sso`, secrets: [string, ...string[]] = SECRETS): PasskeyCeremonies {
    const { store, clock } = temporary;
    return createPasskeyCeremonies({
      passkeys: store.passkeys,
      accounts: store.accounts,
      challenges: createPasskeyChallenges({ secrets, artifacts: store.artifacts, clock }),
      issuer,
      name: 'Example Accounts',
      clock,
    });
  }

  async function enrolled(account: Account, claims: Partial<Claims> = {}): Promise<SoftPasskey> {
    const passkey = createSoftPasskey(ORIGIN, claims);
    const answer = passkey.create(await ceremonies().enrolmentOptions(account, 'page'));
    assert.ok(!('refused' in (await ceremonies().enrol(account, 'page', answer, BROWSER))));
    return passkey;
  }

  describe('when one is enrolled', () => {
    it('asks for a discoverable credential of this account, with no attestation (Web Authentication §5.4)', async () => {
      const known = await enrolled(alice);
      const options = await ceremonies().enrolmentOptions(alice, 'page');
      assert.deepEqual(options.rp, { id: 'id.example.com', name: 'Example Accounts' });
      assert.deepEqual([options.user.name, options.user.displayName], ['alice', 'alice']);
      assert.deepEqual(
        options.pubKeyCredParams.map(({ alg }) => alg),
        [-8, -7, -257],
      );
      assert.deepEqual(options.authenticatorSelection, {
        residentKey: 'required',
        requireResidentKey: true,
        userVerification: 'preferred',
      });
      assert.equal(options.attestation, 'none');
      assert.deepEqual(options.excludeCredentials, [{ id: known.id, type: 'public-key', transports: ['internal'] }]);
    });

    it('has a user handle that says nothing about the account, and is the same each time (§14.6.1)', async () => {
      const [first, second, other] = await Promise.all(
        [alice, alice, bob].map(async (one) => (await ceremonies().enrolmentOptions(one, 'page')).user.id),
      );
      assert.equal(first, second);
      assert.notEqual(first, other);
      assert.equal(Buffer.from(String(first), 'base64url').length, 32);
      assert.ok(!Buffer.from(String(first), 'base64url').includes(alice.id));
    });

    for (const kind of ['ES256', 'EdDSA', 'RS256'] as const) {
      it(`keeps an ${kind} key, and signs in with it`, async () => {
        const passkey = createSoftPasskey(ORIGIN, {}, kind);
        const answer = passkey.create(await ceremonies().enrolmentOptions(alice, 'page'));
        await ceremonies().enrol(alice, 'page', answer, BROWSER);
        const proof = await ceremonies().prove('login', passkey.get(ceremonies().signInOptions('login')));
        assert.ok('account' in proof, JSON.stringify(proof));
        assert.equal(proof.account.id, alice.id);
      });
    }

    it('keeps what the authenticator says of itself', async () => {
      const { id } = await enrolled(alice, { backupEligible: true, backedUp: true, counter: 0 });
      const { publicKey, ...kept } = { ...(await temporary.store.passkeys.find(id)) };
      assert.match(String(publicKey), /^[\w-]{50,}$/);
      assert.deepEqual(kept, {
        id,
        accountId: alice.id,
        counter: 0,
        transports: ['internal'],
        backedUp: true,
        name: BROWSER,
        createdAt: temporary.time.now,
      });
    });

    const refusals: [string, Partial<Claims>, string][] = [
      ['of another type', { type: 'webauthn.get' }, 'response'],
      ['for another challenge', { challenge: Buffer.alloc(54).toString('base64url') }, 'challenge'],
      ['from another origin', { origin: 'https://id.example.com.evil.example' }, 'response'],
      ['from another port', { origin: `${ORIGIN}:8443` }, 'response'],
      ['for another site', { rpId: 'evil.example' }, 'response'],
      ['with nobody there', { userPresent: false }, 'response'],
      ['of a passkey that is backed up but cannot be', { backedUp: true }, 'response'],
      ['with certificates', { attestation: ['packed', new Map([['x5c', [new Uint8Array(8)]]])] }, 'malformed'],
      ['with an attestation that we did not ask for', { attestation: ['tpm', new Map()] }, 'malformed'],
    ];
    for (const [what, claims, refused] of refusals) {
      it(`refuses an answer ${what}`, async () => {
        const answer = createSoftPasskey(ORIGIN).create(await ceremonies().enrolmentOptions(alice, 'page'), claims);
        const outcome = await ceremonies().enrol(alice, 'page', answer, BROWSER);
        assert.deepEqual(outcome, { refused, accountId: alice.id });
        assert.deepEqual(await temporary.store.passkeys.listOf(alice.id), []);
      });
    }

    const undecodable: [string, string][] = [
      ['no CBOR', 'ff'],
      ['a number', '00'],
      ['a list', '80'],
      ['null', 'f6'],
      ['an empty map', 'a0'],
      ['a format without its statement', 'a163666d74667061636b6564'],
      ['a statement that is a number', 'a263666d74667061636b65646761747453746d7400'],
    ];
    for (const [what, attestation] of undecodable) {
      it(`refuses an answer whose attestation object is ${what}`, async () => {
        const made = createSoftPasskey(ORIGIN).create(await ceremonies().enrolmentOptions(alice, 'page'));
        const answer = JSON.parse(made);
        answer.response.attestationObject = Buffer.from(attestation, 'hex').toString('base64url');
        const outcome = await ceremonies().enrol(alice, 'page', JSON.stringify(answer), BROWSER);
        assert.deepEqual(outcome, { refused: 'malformed', accountId: alice.id });
      });
    }

    it('refuses what was made for another account, for another page, or sent before', async () => {
      const passkey = createSoftPasskey(ORIGIN);
      const answer = passkey.create(await ceremonies().enrolmentOptions(alice, 'page'));
      assert.equal(refusalOf(await ceremonies().enrol(bob, 'page', answer, BROWSER)), 'challenge');
      assert.equal(refusalOf(await ceremonies().enrol(alice, 'other page', answer, BROWSER)), 'challenge');
      await ceremonies().enrol(alice, 'page', answer, BROWSER);
      await temporary.store.passkeys.remove(alice.id, passkey.id);
      assert.equal(refusalOf(await ceremonies().enrol(alice, 'page', answer, BROWSER)), 'replayed');
    });

    it('refuses a passkey that somebody has (§7.1)', async () => {
      const passkey = await enrolled(alice);
      const answer = passkey.create(await ceremonies().enrolmentOptions(bob, 'page'));
      assert.equal(refusalOf(await ceremonies().enrol(bob, 'page', answer, BROWSER)), 'taken');
      assert.equal((await temporary.store.passkeys.find(passkey.id))?.accountId, alice.id);
    });
  });

  describe('when somebody signs in', () => {
    it('asks for any passkey, and for more than possession, where nobody is known', () => {
      const { challenge, ...options } = ceremonies().signInOptions('login');
      assert.match(challenge, /^[\w-]{72}$/);
      const expected = { rpId: 'id.example.com', timeout: 300_000, userVerification: 'required', allowCredentials: [] };
      assert.deepEqual(options, expected);
    });

    it('asks for those of the account as its second factor, where possession is enough', async () => {
      const { id } = await enrolled(alice);
      const options = await ceremonies().secondFactorOptions('login', alice.id);
      assert.equal(options.userVerification, 'discouraged');
      assert.deepEqual(options.allowCredentials, [{ id, type: 'public-key', transports: ['internal'] }]);
    });

    const methods: [string, Partial<Claims>, string[]][] = [
      ['a passkey of one device', {}, ['hwk', 'user', 'mfa']],
      ['a passkey of many devices', { backupEligible: true, backedUp: true }, ['swk', 'user', 'mfa']],
    ];
    for (const [what, claims, amr] of methods) {
      it(`recognises the account by ${what}, as two factors at once (RFC 8176 §2)`, async () => {
        const passkey = await enrolled(alice, claims);
        temporary.time.now += MINUTE;
        const proof = await ceremonies().prove('login', passkey.get(ceremonies().signInOptions('login')));
        assert.ok('account' in proof, JSON.stringify(proof));
        assert.deepEqual([proof.account.id, proof.amr], [alice.id, amr]);
        const kept = await temporary.store.passkeys.find(passkey.id);
        assert.deepEqual([kept?.counter, kept?.lastUsedAt], [1, temporary.time.now]);
      });
    }

    it('counts a second factor that asked for nothing as one, and takes it without a user handle', async () => {
      const passkey = await enrolled(alice);
      const options = await ceremonies().secondFactorOptions('login', alice.id);
      const answer = passkey.get(options, { userVerified: false, userHandle: undefined });
      const proof = await ceremonies().prove('login', answer, alice.id);
      assert.ok('amr' in proof, JSON.stringify(proof));
      assert.deepEqual(proof.amr, ['hwk', 'user']);
    });

    const handleOfBob = async () => (await ceremonies().enrolmentOptions(bob, 'page')).user.id;
    const refusals: [string, (told: { handleOfBob: string }) => Partial<Claims>, string][] = [
      ['of another type', () => ({ type: 'webauthn.create' }), 'response'],
      [
        'for a challenge that is not ours',
        () => ({ challenge: Buffer.alloc(54, 7).toString('base64url') }),
        'challenge',
      ],
      ['for no challenge', () => ({ challenge: '' }), 'challenge'],
      ['from another origin', () => ({ origin: 'https://evil.example' }), 'response'],
      ['from our host by http', () => ({ origin: 'http://id.example.com' }), 'response'],
      ['for another site', () => ({ rpId: 'evil.example' }), 'response'],
      ['with nobody there', () => ({ userPresent: false }), 'response'],
      ['without PIN or fingerprint', () => ({ userVerified: false }), 'unverified'],
      ['with the handle of another account', (told) => ({ userHandle: told.handleOfBob }), 'foreign'],
      ['with no handle', () => ({ userHandle: undefined }), 'foreign'],
    ];
    for (const [what, claims, refused] of refusals) {
      it(`refuses an answer ${what} (§7.2)`, async () => {
        const passkey = await enrolled(alice);
        const told = { handleOfBob: await handleOfBob() };
        const answer = passkey.get(ceremonies().signInOptions('login'), claims(told));
        assert.equal(refusalOf(await ceremonies().prove('login', answer)), refused);
        assert.equal((await temporary.store.passkeys.find(passkey.id))?.lastUsedAt, undefined);
      });
    }

    for (const [what, tamper] of [
      ['signature', (response: Record<string, string>) => ({ ...response, signature: flip(response['signature']) })],
      [
        'authenticator data',
        (response: Record<string, string>) => ({ ...response, authenticatorData: flip(response['authenticatorData']) }),
      ],
      [
        'client data',
        (response: Record<string, string>) => ({ ...response, clientDataJSON: spaced(response['clientDataJSON']) }),
      ],
    ] as const) {
      it(`refuses an answer whose ${what} was changed on the way`, async () => {
        const passkey = await enrolled(alice);
        const answer = JSON.parse(passkey.get(ceremonies().signInOptions('login')));
        const tampered = JSON.stringify({ ...answer, response: tamper(answer.response) });
        assert.equal(refusalOf(await ceremonies().prove('login', tampered)), 'response');
        assert.ok('account' in (await ceremonies().prove('login', JSON.stringify(answer))), 'the true one is good');
      });
    }

    it('refuses one that is unknown, and one of another account as a second factor', async () => {
      const stranger = createSoftPasskey(ORIGIN);
      stranger.create(await ceremonies().enrolmentOptions(alice, 'page'));
      assert.equal(
        refusalOf(await ceremonies().prove('login', stranger.get(ceremonies().signInOptions('login')))),
        'unknown',
      );
      const passkey = await enrolled(bob);
      const answer = passkey.get(await ceremonies().secondFactorOptions('login', alice.id));
      assert.equal(refusalOf(await ceremonies().prove('login', answer, alice.id)), 'foreign');
    });

    it('refuses a counter that has not grown: there may be a copy (§6.1.1)', async () => {
      const passkey = await enrolled(alice);
      const prove = (counter: number) =>
        ceremonies().prove('login', passkey.get(ceremonies().signInOptions('login'), { counter }));
      assert.ok('account' in (await prove(7)));
      for (const counter of [7, 6, 0]) {
        assert.deepEqual(await prove(counter), { refused: 'counter', accountId: alice.id });
      }
      assert.ok('account' in (await prove(8)));
    });

    it('takes a passkey that never counts, as those of many devices are', async () => {
      const passkey = await enrolled(alice, { counter: 0 });
      for (const _ of [1, 2]) {
        assert.ok('account' in (await ceremonies().prove('login', passkey.get(ceremonies().signInOptions('login')))));
      }
    });

    it('refuses an account that is disabled or gone', async () => {
      const passkey = await enrolled(alice);
      await temporary.store.accounts.update({ ...alice, disabledAt: temporary.time.now }, ['alice']);
      const answer = passkey.get(ceremonies().signInOptions('login'));
      assert.deepEqual(await ceremonies().prove('login', answer), { refused: 'disabled', accountId: alice.id });
      await temporary.store.accounts.remove(alice.id);
      assert.equal(
        refusalOf(await ceremonies().prove('login', passkey.get(ceremonies().signInOptions('login')))),
        'unknown',
      );
    });

    const malformed: [string, string][] = [
      ['nothing', ''],
      ['no JSON', 'passkey'],
      ['no object', '[]'],
      ['an empty object', '{}'],
      ['null in the place of the response', '{"id":"AA","rawId":"AA","type":"public-key","response":null}'],
      ['client data that is no JSON', assertionOf({ clientDataJSON: 'AAAA' })],
      ['client data that is null', assertionOf({ clientDataJSON: Buffer.from('null').toString('base64url') })],
      ['client data without challenge', assertionOf({ clientDataJSON: Buffer.from('{}').toString('base64url') })],
      ['a signature that is no base64url', assertionOf({ signature: '!' })],
      ['a member twice', `{"id":"AA","id":"AB",${assertionOf({}).slice(1)}`],
      ['an id of a megabyte', JSON.stringify({ ...JSON.parse(assertionOf({})), id: 'A'.repeat(1_000_000) })],
    ];
    for (const [what, answer] of malformed) {
      it(`refuses ${what}`, async () => {
        assert.deepEqual(await ceremonies().prove('login', answer), { refused: 'malformed' });
        assert.deepEqual(await ceremonies().enrol(alice, 'page', answer, BROWSER), {
          refused: 'malformed',
          accountId: alice.id,
        });
      });
    }
  });

  describe('challenges', () => {
    it('let one of many simultaneous answers in (§13.4.3)', async () => {
      const passkey = await enrolled(alice);
      const answer = passkey.get(ceremonies().signInOptions('login'));
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => ceremonies().prove('login', answer)));
      assert.equal(outcomes.filter((outcome) => 'account' in outcome).length, 1);
      assert.ok(outcomes.every((outcome) => 'account' in outcome || outcome.refused === 'replayed'));
    });

    it('are good for five minutes, and used up for as long', async () => {
      const passkey = await enrolled(alice, { counter: 0 });
      const [used, late] = [1, 2].map(() => passkey.get(ceremonies().signInOptions('login'))) as [string, string];
      await ceremonies().prove('login', used);
      temporary.time.now += 5 * MINUTE;
      assert.equal(refusalOf(await ceremonies().prove('login', used)), 'replayed');
      temporary.time.now += 1;
      assert.equal(refusalOf(await ceremonies().prove('login', used)), 'expired');
      assert.equal(refusalOf(await ceremonies().prove('login', late)), 'expired');
    });

    const elsewhere: [string, (passkey: SoftPasskey) => Promise<string>][] = [
      ['another interaction', async (passkey) => passkey.get(ceremonies().signInOptions('another'))],
      ['a second factor', async (passkey) => passkey.get(await ceremonies().secondFactorOptions('login', alice.id))],
      ['an enrolment', async (passkey) => passkey.get(asRequest(await ceremonies().enrolmentOptions(alice, 'login')))],
      [
        'an installation with other secrets',
        async (passkey) => passkey.get(ceremonies(undefined, ['a secret of somebody else']).signInOptions('login')),
      ],
    ];
    for (const [what, answerFor] of elsewhere) {
      it(`are no good when they are those of ${what}`, async () => {
        const answer = await answerFor(await enrolled(alice));
        assert.equal(refusalOf(await ceremonies().prove('login', answer)), 'challenge');
      });
    }

    it('outlive a change of secrets', async () => {
      const passkey = await enrolled(alice);
      const answer = passkey.get(ceremonies(undefined, [SECRETS[1]]).signInOptions('login'));
      assert.ok('account' in (await ceremonies().prove('login', answer)));
    });
  });

  const hosts: [string, boolean][] = [
    ['https://id.example.com/sso', true],
    ['http://localhost:3000', true],
    ['http://127.0.0.1:3000', false],
    ['http://[::1]:3000', false],
  ];
  for (const [issuer, isOffered] of hosts) {
    it(`${isOffered ? 'are' : 'are not'} offered at ${issuer} (§5.1.2)`, () => {
      assert.equal(ceremonies(issuer).isOffered, isOffered);
    });
  }

  const names: [string, string, string][] = [
    ['ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4', BROWSER, 'Google Password Manager'],
    ['00000000-0000-0000-0000-000000000000', BROWSER, BROWSER],
    ['constructor', BROWSER, BROWSER],
    ['', '', ''],
  ];
  for (const [aaguid, browser, name] of names) {
    it(`are called “${name}” first, when they come from ${aaguid || 'nowhere'} and ${browser || 'no known browser'}`, () => {
      assert.equal(suggestedPasskeyName(aaguid, browser), name);
    });
  }
});

function refusalOf(outcome: object): unknown {
  return 'refused' in outcome ? outcome.refused : undefined;
}

/** The options of an enrolment, taken for those of a sign-in. */
function asRequest({ challenge, rp }: { challenge: string; rp: { id?: string } }) {
  return { challenge, ...(rp.id && { rpId: rp.id }) };
}

/** The last byte changed, in what was base64url. */
function flip(text = ''): string {
  const bytes = Buffer.from(text, 'base64url');
  bytes[bytes.length - 1] = Number(bytes.at(-1)) ^ 1;
  return bytes.toString('base64url');
}

/** The same JSON, spelled in another way. */
function spaced(text = ''): string {
  return Buffer.from(`${Buffer.from(text, 'base64url')} `).toString('base64url');
}

function assertionOf(response: Record<string, string>): string {
  const whole = { clientDataJSON: 'AAAA', authenticatorData: 'AAAA', signature: 'AAAA', ...response };
  return JSON.stringify({ id: 'AA', rawId: 'AA', type: 'public-key', clientExtensionResults: {}, response: whole });
}
