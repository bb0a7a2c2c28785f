// The cookie by which a browser is known to have signed an account in.
import assert from 'node:assert/strict';
import Koa, { type Context } from 'koa';
import inject from 'light-my-request';
import { createKnownDevices } from '../../src/provider/known-devices.ts';
import type { Account } from '../../src/store.ts';

const account = (id: string, passwordHash = 'a hash'): Account => ({
  id,
  username: id,
  passwordHash,
  claims: {},
  createdAt: 0,
});

const SECRET = 'a cookie secret of this test, 32 bytes';

describe('known devices', () => {
  /** Runs `work` in a request with this cookie; the cookie header that the browser sends from then on, and what was set. */
  async function request(
    work: (ctx: Context) => void,
    { cookie, secrets = [SECRET] }: { cookie?: string; secrets?: string[] } = {},
    issuer = 'https://id.example.com',
  ): Promise<{ cookie: string; set: string[] }> {
    const app = new Koa({ proxy: true, keys: secrets });
    app.use((ctx) => {
      work(ctx);
      ctx.body = 'done';
    });
    const headers = { 'x-forwarded-proto': new URL(issuer).protocol.slice(0, -1), ...(cookie && { cookie }) };
    const response = await inject(app.callback(), { url: '/', headers });
    assert.equal(response.statusCode, 200, response.payload);
    const set = [response.headers['set-cookie'] ?? []].flat();
    return { cookie: set.map((line) => line.split(';')[0]).join('; '), set };
  }

  const devices = (secrets = [SECRET], issuer = 'https://id.example.com') => createKnownDevices({ issuer, secrets });

  async function remembered(...accounts: Account[]): Promise<string> {
    let cookie: string | undefined;
    for (const one of accounts) {
      ({ cookie } = await request((ctx) => devices().remember(ctx, one), { ...(cookie && { cookie }) }));
    }
    return String(cookie);
  }

  async function recall(cookie: string, one: Account, secrets = [SECRET]): Promise<string | undefined> {
    let device: string | undefined;
    await request(
      (ctx) => {
        device = devices(secrets).recall(ctx, one);
      },
      { cookie, secrets },
    );
    return device;
  }

  it('are known to each account that signed in, by one name, and to no other', async () => {
    const cookie = await remembered(account('alice'), account('bob'));
    const device = await recall(cookie, account('alice'));
    assert.match(String(device), /^[\w-]{16}$/);
    assert.equal(await recall(cookie, account('bob')), device);
    assert.equal(await recall(cookie, account('carol')), undefined);
    assert.notEqual(await recall(await remembered(account('alice')), account('alice')), device);
  });

  it('are named once in an answer, however often it remembers them (RFC 6265 §4.1.1)', async () => {
    const { cookie, set } = await request((ctx) => {
      devices().remember(ctx, account('alice', 'a weaker hash'));
      devices().remember(ctx, account('alice'));
    });
    assert.deepEqual(set.map((line) => line.split('=')[0]).toSorted(), ['__Host-device', '__Host-device.sig']);
    assert.ok(await recall(cookie, account('alice')));
  });

  it('are unknown after a change of the password', async () => {
    const cookie = await remembered(account('alice'));
    assert.equal(await recall(cookie, account('alice', 'another hash')), undefined);
  });

  it('are known after a change of the secret, as long as the one before is listed', async () => {
    const cookie = await remembered(account('alice'));
    const next = 'the next cookie secret of this test, too';
    assert.ok(await recall(cookie, account('alice'), [next, SECRET]));
    assert.equal(await recall(cookie, account('alice'), [next]), undefined);
  });

  it('are those of the last eight accounts', async () => {
    const accounts = Array.from({ length: 10 }, (_, at) => account(`account-${at}`));
    const cookie = await remembered(...accounts);
    const known = await Promise.all(accounts.map((one) => recall(cookie, one)));
    assert.deepEqual(
      known.map((device) => device !== undefined),
      [false, false, ...Array(8).fill(true)],
    );
    assert.ok(cookie.length < 400, `${cookie.length}`);
  });

  for (const [name, change] of [
    ['no signature', (cookie: string) => String(cookie.split('; ')[0])],
    ['another device', (cookie: string) => cookie.replace(/device=[\w-]{4}/, 'device=AAAA')],
    ['nothing in it', () => '__Host-device=; __Host-device.sig='],
  ] as const) {
    it(`are not known by a cookie with ${name}`, async () => {
      assert.equal(await recall(change(await remembered(account('alice'))), account('alice')), undefined);
    });
  }

  it('are not known by what another browser was given, put together', async () => {
    const mine = await remembered(account('mallory'));
    const stolen = await remembered(account('alice'));
    const tag = /device=[\w-]+\.([\w-]+)/.exec(stolen)?.[1];
    assert.equal(await recall(mine.replace(/(device=[\w-]+)/, `$1.${tag}`), account('alice')), undefined);
  });

  for (const [issuer, name, attributes] of [
    ['https://id.example.com', '__Host-device', ['path=/', 'samesite=lax', 'secure', 'httponly']],
    ['https://example.com/sso', '__Secure-device', ['path=/sso', 'samesite=lax', 'secure', 'httponly']],
    ['http://localhost:3000', 'device', ['path=/', 'samesite=lax', 'httponly']],
  ] as const) {
    it(`have a cookie as strict as ${issuer} allows, for a year (R41)`, async () => {
      const { set } = await request((ctx) => devices([SECRET], issuer).remember(ctx, account('alice')), {}, issuer);
      assert.equal(set.length, 2);
      for (const line of set) {
        const [pair, ...rest] = line.split('; ');
        assert.match(String(pair), new RegExp(`^${name}(\\.sig)?=`));
        const [expires] = rest.filter((attribute) => attribute.startsWith('expires='));
        const days = (Date.parse(String(expires?.slice(8))) - Date.now()) / 86_400_000;
        assert.ok(days > 364 && days <= 365, `${days}`);
        assert.deepEqual(
          rest.filter((attribute) => attribute !== expires),
          attributes,
        );
      }
    });
  }
});
