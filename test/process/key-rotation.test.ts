// Changes of signing keys on command, beside running processes under load: taken up in five seconds, no request failed.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { decodeProtectedHeader } from 'jose';
import { after, before, describe, it } from 'mocha';
import { createClientRegistry } from '../../src/clients/registration.ts';
import { createResourceServerRegistry } from '../../src/resource-servers/registry.ts';
import { createInstallation, type Installation } from '../cli/run.ts';
import { sqlite } from '../faults/support/databases.ts';
import { type Fleet, startFleet } from '../faults/support/deployment.ts';

/** Requests in a second, over all processes; each token is verified by another process than the one that issued it. */
const RATE = 50;

interface Load {
  /** the kids of tokens, as they were issued */
  readonly kids: string[];
  readonly failures: string[];
  stop(): Promise<void>;
}

describe('process: signing keys', () => {
  const clock = () => Math.floor(Date.now() / 1000);
  let fleet: Fleet;
  let installation: Installation;
  let secret: string;

  before(async () => {
    installation = createInstallation();
    fleet = await startFleet(sqlite, 2, async (store) => {
      const resourceServers = createResourceServerRegistry({
        resourceServers: store.resourceServers,
        builtIn: [],
        clock,
      });
      await resourceServers.add({ audience: 'api', alg: 'ES256' });
      const clients = createClientRegistry({ clients: store.clients, builtIn: [], clock });
      const metadata = { grant_types: ['client_credentials'] };
      ({ secret = '' } = await clients.add({ clientId: 'caller', metadata, audiences: { api: null } }));
    });
  });
  after(async () => {
    await fleet[Symbol.asyncDispose]();
    installation[Symbol.dispose]();
  });

  async function post(url: string, body: object): Promise<Response> {
    return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  }

  async function issueAndVerify(load: Load, turn: number): Promise<void> {
    const [issuing = '', verifying = ''] = turn % 2 === 0 ? fleet.origins : fleet.origins.toReversed();
    const issued = await post(`${issuing}/token`, { sub: 'caller', aud: 'api', client_secret: secret });
    const { token } = (await issued.json()) as { token: string };
    if (issued.status !== 200) return void load.failures.push(`/token ${issued.status}`);
    load.kids.push(String(decodeProtectedHeader(token).kid));
    const verified = await post(`${verifying}/verify`, { token, aud: 'api' });
    if (verified.status !== 200) load.failures.push(`/verify ${verified.status} ${await verified.text()}`);
  }

  function startLoad(): Load {
    const running = new Set<Promise<void>>();
    let turn = 0;
    const timer = setInterval(() => {
      turn += 1;
      const one = issueAndVerify(load, turn)
        .catch((error: unknown) => void load.failures.push(String(error)))
        .finally(() => running.delete(one));
      running.add(one);
    }, 2_000 / RATE);
    const load: Load = {
      kids: [],
      failures: [],
      async stop() {
        clearInterval(timer);
        await Promise.all(running);
      },
    };
    return load;
  }

  async function publishedAt(origin: string): Promise<string[]> {
    const { keys } = (await (await fetch(`${origin}/jwks`)).json()) as { keys: { kid: string; alg: string }[] };
    return keys.filter(({ alg }) => alg === 'ES256').map(({ kid }) => kid);
  }

  /** How long until it is so in every process, in milliseconds. */
  async function takesUntil(isSo: (published: string[]) => boolean): Promise<number> {
    const startedAt = performance.now();
    for (;;) {
      const published = await Promise.all(fleet.origins.map(publishedAt));
      if (published.every(isSo)) return performance.now() - startedAt;
      assert.ok(performance.now() - startedAt < 15_000, `still ${JSON.stringify(published)}`);
      await pause(100);
    }
  }

  async function key(...argv: string[]): Promise<{ kid: string; signs_at: number }[]> {
    const env = { ...fleet.deployment.env } as Record<string, string>;
    const { code, stderr, json } = await installation.run(['key', ...argv, '--json'], { env });
    assert.equal(code, 0, stderr);
    return json()['keys'] as { kid: string; signs_at: number }[];
  }

  it('change on command in every process within five seconds, and no request fails meanwhile', async function () {
    this.timeout(60_000);
    const load = startLoad();
    const [old = ''] = await publishedAt(fleet.origins[0] as string);

    const [next] = await key('rotate', '--alg', 'ES256', '--now');
    assert.ok(next);
    const rotatedAt = performance.now();
    assert.ok((await takesUntil((published) => published.includes(next.kid))) < 3_000);
    // the keys that sign come first
    await takesUntil((published) => published[0] === next.kid);
    assert.ok(performance.now() - rotatedAt < 6_000);

    await key('retire', old, '--now');
    assert.ok((await takesUntil((published) => !published.includes(old))) < 6_000);
    await pause(500);
    await load.stop();

    assert.deepEqual(load.failures, []);
    assert.ok(load.kids.length > 100);
    assert.deepEqual([...new Set(load.kids)], [old, next.kid]);
    for (const { process } of fleet.servers) assert.equal((await process.said('signing keys changed'))['level'], 30);
  });
});
