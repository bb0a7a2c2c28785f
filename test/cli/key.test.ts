// The `identity key` commands: what signs, what comes next, and whether verifiers know it.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { openConfiguredStore } from '../../src/cli/workspace.ts';
import { parseConfig } from '../../src/config.ts';
import { createKeyRotation } from '../../src/keys/rotation.ts';
import { openKeyring } from '../../src/keys/signing-keys.ts';
import type { Store } from '../../src/store.ts';
import { createInstallation, environment, type Installation } from './run.ts';

const DAY = 86_400;
const present = () => Math.floor(Date.now() / 1000);

type Shown = Record<string, unknown> & { kid: string; alg: string; state: string; signs_at: number };

describe('identity key', () => {
  let installation: Installation;

  beforeEach(() => {
    installation = createInstallation();
  });

  afterEach(() => {
    installation[Symbol.dispose]();
  });

  async function withStore<T>(work: (store: Store) => Promise<T>, env: object = environment): Promise<T> {
    await using store = await openConfiguredStore(parseConfig({ ...env }), present, installation.folder);
    return await work(store);
  }

  const boot = (clock = present) => withStore((store) => openKeyring({ keys: store.keys, clock }));
  const keysOf = async (...argv: string[]) =>
    (await installation.run(['key', ...argv, '--json'])).json()['keys'] as Shown[];
  const ofAlg = (keys: Shown[], alg: string) => keys.filter((key) => key.alg === alg).map(({ state }) => state);

  it('publishes the next key of every algorithm, once', async () => {
    await boot(() => present() - 60); // keys of one second have no order
    const published = await keysOf('rotate');
    assert.equal(published.filter(({ state }) => state === 'next').length, 4);
    for (const { state, signs_at } of published) {
      if (state === 'next') assert.ok(Math.abs(signs_at - present() - 14 * DAY) < 60);
    }
    const again = await installation.run(['key', 'rotate']);
    assert.deepEqual([again.code, again.stdout], [0, 'nothing to do: it is so already\n']);
    assert.deepEqual(ofAlg(await keysOf('list'), 'ES256'), ['signing', 'next']);
  });

  it('publishes at the times of the configuration', async () => {
    const env = { ...environment, KEY_PUBLISH_DAYS: '3', KEY_RETIRE_DAYS: '5' };
    const { json } = await installation.run(['key', 'rotate', '--alg', 'EdDSA', '--json'], { env });
    const [next, old] = json()['keys'] as Shown[];
    assert.ok(next && old);
    assert.equal(old['stops_at'], next.signs_at);
    assert.equal(Number(next.signs_at) - Number(next['created_at']), 3 * DAY);
    assert.equal(Number(old['removed_at']) - Number(old['stops_at']), 5 * DAY);
  });

  it('lets the next key sign at once, and warns that verifiers do not know it', async () => {
    await boot();
    const { code, stderr, json } = await installation.run(['key', 'rotate', '--alg', 'ES256', '--now', '--json']);
    assert.equal(code, 0);
    assert.match(stderr, /^warning: whoever fetched the JWKS less than 10 minutes ago/);
    const [next] = json()['keys'] as Shown[];
    assert.ok(next && next.signs_at <= present() + 5);
  });

  it('lets a key that was published long ago sign at once without a warning', async () => {
    const yesterday = () => present() - DAY;
    await boot(yesterday);
    const schedule = { publish: 14 * DAY, sign: 90 * DAY, retire: 14 * DAY };
    await withStore(({ keys }) =>
      createKeyRotation({ keys, clock: yesterday, schedule }).rotate(['ES256'], { now: false }),
    );
    const { code, stderr, stdout } = await installation.run(['key', 'rotate', '--alg', 'ES256', '--now']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /\(ES256\) signs from /);
  });

  it('retires the key that signs: its successor takes over, its tokens still verify', async () => {
    await boot();
    const [old] = (await keysOf('list')).filter(({ alg }) => alg === 'RS256');
    const changed = await keysOf('retire', String(old?.kid));
    const [next, stopped] = [changed.find(({ kid }) => kid !== old?.kid), changed.find(({ kid }) => kid === old?.kid)];
    assert.ok(next && stopped);
    assert.equal(stopped['stops_at'], next.signs_at);
    assert.equal(Number(stopped['removed_at']) - Number(stopped['stops_at']), 14 * DAY);
  });

  it('removes a compromised key with its tokens, within five seconds', async () => {
    await boot();
    const [old] = (await keysOf('list')).filter(({ alg }) => alg === 'ES256');
    const changed = await keysOf('retire', String(old?.kid), '--now');
    const removed = changed.find(({ kid }) => kid === old?.kid);
    assert.ok(Number(removed?.['removed_at']) <= present() + 5);
    assert.equal(changed.length, 2);
  });

  it('withdraws a next key that shall never sign, and the present one goes on', async () => {
    await boot();
    const published = await keysOf('rotate', '--alg', 'ES256');
    const next = published.find(({ state }) => state === 'next');
    const { code, stdout } = await installation.run(['key', 'retire', String(next?.kid)]);
    assert.equal(code, 0);
    assert.match(stdout, /goes on signing\n.* is withdrawn; it has signed nothing\n$/);
    const left = (await keysOf('list')).filter(({ alg }) => alg === 'ES256');
    assert.deepEqual(
      left.map(({ state, stops_at, removed_at }) => ({ state, stops_at, removed_at })),
      [{ state: 'signing', stops_at: null, removed_at: null }],
    );
  });

  it('refuses a key that there is not, and an algorithm that there is not', async () => {
    const unknown = await installation.run(['key', 'retire', 'no-such-key']);
    assert.deepEqual([unknown.code, unknown.stderr], [1, 'identity: there is no key no-such-key\n']);
    assert.equal((await installation.run(['key', 'rotate', '--alg', 'HS256'])).code, 2);
  });

  it('shows who has fetched the JWKS since the next key was published, and who has not', async () => {
    await boot();
    await withStore((store) =>
      store.jwksFetches.record([{ address: '10.0.0.7', agent: 'old', lastAt: present() - 60 }]),
    );
    await installation.run(['key', 'rotate', '--alg', 'ES256']);
    await withStore((store) =>
      store.jwksFetches.record([{ address: '10.0.0.8', agent: 'new', lastAt: present() + 60 }]),
    );
    const next = (await keysOf('list')).find(({ state }) => state === 'next');
    const names = (list: unknown) => (list as { address: string; agent: string }[]).map(({ agent }) => agent);
    assert.deepEqual(names(next?.['fetched_by']), ['new']);
    assert.deepEqual(names(next?.['not_fetched_by']), ['old']);
    const { stdout } = await installation.run(['key', 'list']);
    assert.match(stdout, /fetched by 1 verifiers:\n.*10\.0\.0\.8 {2}new\nand not yet by 1 .*\n.*10\.0\.0\.7 {2}old\n$/);
  });

  it('encrypts everything again with the first key, so that the old one can go', async () => {
    await boot();
    const added = await installation.run(['client', 'add', 'caller', '--grant-type', 'client_credentials', '--json']);
    assert.equal(added.code, 0);
    await withStore(({ artifacts }) =>
      artifacts.apply(
        Array.from({ length: 250 }, (_, n) => {
          const id = `session-${n}`;
          return { do: 'upsert', model: 'Session', id, payload: { uid: id, accountId: 'a' }, expiresIn: 600 } as const;
        }),
      ),
    );
    const fresh = 'q8Tn4Lw7Jv2Hs5Gd9Fk3Ac6Pb1Xe0Zr-another';
    const both = { ...environment, ENCRYPTION_KEY: `${fresh},${environment.ENCRYPTION_KEY}` };
    const alone = { ...environment, ENCRYPTION_KEY: fresh };
    assert.equal((await installation.run(['key', 'list'], { env: alone })).code, 1);
    const outcome = await installation.run(['key', 'reencrypt', '--json'], { env: both });
    assert.deepEqual(outcome.json(), { reencrypted: 4 + 1 + 250, remaining: 0, unreadable: 0 });
    const again = await installation.run(['key', 'reencrypt', '--json'], { env: alone });
    assert.deepEqual(again.json(), { reencrypted: 0, remaining: 0, unreadable: 0 });
    await withStore(async ({ artifacts, clients, keys }) => {
      assert.deepEqual(await artifacts.find('Session', 'session-249'), { uid: 'session-249', accountId: 'a' });
      assert.equal((await clients.find('caller'))?.secrets.length, 1);
      assert.equal((await keys.list()).length, 4);
    }, alone);
  });

  it('says what opens with no key of the list, and leaves it alone', async () => {
    await withStore(({ artifacts }) =>
      artifacts.apply([{ do: 'upsert', model: 'Session', id: 's', payload: { uid: 's' }, expiresIn: 600 }]),
    );
    const env = { ...environment, ENCRYPTION_KEY: 'q8Tn4Lw7Jv2Hs5Gd9Fk3Ac6Pb1Xe0Zr-another' };
    const { code, stderr, json } = await installation.run(['key', 'reencrypt', '--json'], { env });
    assert.equal(code, 0);
    assert.match(stderr, /^warning: 1 rows open with no key of the list/);
    assert.deepEqual(json(), { reencrypted: 0, remaining: 0, unreadable: 1 });
    assert.deepEqual(await withStore(({ artifacts }) => artifacts.find('Session', 's')), { uid: 's' });
  });
});
