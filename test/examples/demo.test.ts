// `npm run demo` as a newcomer lives it: real processes, a real browser, Ctrl-C.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { freePorts } from '../support/free-ports.ts';

const root = join(import.meta.dirname, '../..');
const password = 'a password for the demo';

interface Demo {
  child: ChildProcess;
  output(): string;
  /** resolves with the exit code once the process and its output are through */
  exited: Promise<number>;
  urls: { provider: string; client: string; logging: string };
}

describe('examples: the demo', () => {
  let folder: string;
  let demo: Demo;

  const secret = () => randomBytes(32).toString('base64url');

  function startDemo([provider, client, logging]: number[], env: Record<string, string> = {}): Demo {
    const child = spawn(process.execPath, [join(root, 'examples/demo.ts')], {
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        COOKIE_SECRET: secret(),
        JWT_SECRET_KEY: secret(),
        ENCRYPTION_KEY: secret(),
        DEMO_USERNAME: 'demo',
        DEMO_PASSWORD: password,
        DATABASE_URL: `sqlite:${join(folder, 'identity.db')}`,
        LOGGING_DATABASE_PATH: join(folder, 'logs.db'),
        PORT: String(provider),
        CLIENT_PORT: String(client),
        LOGGING_PORT: String(logging),
        ...env,
      },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    return {
      child,
      output: () => output,
      exited: once(child, 'close').then(([code]) => code),
      urls: {
        provider: `http://localhost:${provider}`,
        client: `http://localhost:${client}`,
        logging: `http://localhost:${logging}`,
      },
    };
  }

  async function untilSaid({ child, output, exited }: Demo, words: string): Promise<void> {
    const ended = exited.then(() => Promise.reject(new Error(`the demo ended:\n${output()}`)));
    while (!output().includes(words)) await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended]);
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'demo-'));
    demo = startDemo(await freePorts(3));
    await untilSaid(demo, 'Ctrl-C ends all three.');
  });

  after(async () => {
    demo.child.kill('SIGTERM');
    await demo.exited;
    rmSync(folder, { recursive: true });
  });

  it('prints the three URLs, the account and its password', () => {
    const { provider, client, logging } = demo.urls;
    for (const part of [provider, client, logging, `Account             demo`, `Password            ${password}`]) {
      assert.ok(demo.output().includes(part), part);
    }
  });

  it('prints commands that get a service token, verify it, and write and read a log line with it', async function () {
    if (spawnSync('curl', ['--version']).error) this.skip();
    const commands = /^ {4}TOKEN=.*?(?=\n\n {2}Ctrl-C)/ms.exec(demo.output())?.[0] ?? '';
    const shell = spawn('sh', ['-ec', commands], { stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    shell.stdout.on('data', (chunk) => (output += chunk));
    assert.deepEqual(await once(shell, 'close'), [0, null]);
    const [verified, written, lines] = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(verified.valid, true);
    assert.equal(verified.claims.sub, 'careergpt-backend');
    assert.equal(written.status, 'ok');
    assert.equal(lines.at(-1).message, 'Hello from a service');
  });

  it('refuses to start on a port that is in use, and says which and what to do', async () => {
    const taken = new URL(demo.urls.client).port;
    const [provider = 0, logging = 0] = await freePorts(2);
    const second = startDemo([provider, Number(taken), logging]);
    assert.equal(await second.exited, 1);
    assert.match(second.output(), new RegExp(`Port ${taken} is in use, and the sample client needs it`));
    assert.match(second.output(), /CLIENT_PORT=[0-9]+ npm run demo/);
  });

  it('says what is wrong with the configuration, without a stack trace', async () => {
    const wrong = startDemo(await freePorts(3), { JWT_EXPIRATION_MINUTES: 'soon' });
    assert.equal(await wrong.exited, 1);
    assert.match(wrong.output(), /JWT_EXPIRATION_MINUTES/);
    assert.doesNotMatch(wrong.output(), /\n\s+at /);
  });

  it('ends the others when one of the three cannot go on, and shows its last lines', async () => {
    const broken = startDemo(await freePorts(3), { DATABASE_URL: `sqlite:${folder}` });
    assert.equal(await broken.exited, 1);
    assert.match(broken.output(), /"provider" ended unexpectedly/);
    await assert.rejects(fetch(broken.urls.client));
    await assert.rejects(fetch(broken.urls.logging));
  });

  it('ends all three at Ctrl-C, and exits with 0', async () => {
    const other = startDemo(await freePorts(3), { DATABASE_URL: `sqlite:${join(folder, 'other.db')}` });
    await untilSaid(other, 'Ctrl-C ends all three.');
    other.child.kill('SIGINT');
    assert.equal(await other.exited, 0);
    for (const url of Object.values(other.urls)) await assert.rejects(fetch(url), url);
  });

  describe('in a browser', () => {
    let browser: Browser;
    let page: Page;

    before(async () => {
      browser = await openBrowser();
    });

    beforeEach(async () => {
      page = await (await browser.newContext()).newPage();
      await page.goto(demo.urls.client);
    });

    afterEach(async () => {
      await page.context().close();
    });

    after(async () => {
      await browser.close();
    });

    async function signIn(): Promise<void> {
      await page.click('#sign-in');
      await page.fill('input[name=login]', 'demo');
      await page.fill('input[name=password]', password);
      await page.click('button[type=submit]');
      await page.waitForURL(`${demo.urls.client}/`);
    }

    it('signs in, shows claims, writes a log line, reads it back, signs out', async () => {
      await signIn();
      assert.equal(await page.textContent('h1'), 'Hello, Demo User');
      assert.match((await page.textContent('#claims')) ?? '', /preferred_usernamedemouserinfo/);
      await page.fill('#message', 'Written in a browser <b>');
      await page.click('#write-line');
      assert.equal(await page.textContent('[role=status]'), 'Your line was written.');
      assert.match((await page.textContent('#lines')) ?? '', /INFObrowser-clientWritten in a browser <b>/);

      await page.click('#sign-out');
      await page.click('button[name=logout]');
      await page.waitForURL(`${demo.urls.client}/`);
      assert.equal(await page.textContent('[role=status]'), 'You are signed out of this application.');
      await page.click('#sign-in');
      assert.ok(page.url().startsWith(`${demo.urls.provider}/login/`), 'the provider asks for the password again');
    });

    it('keeps tokens away from the browser', async () => {
      await signIn();
      const cookies = await page.context().cookies(demo.urls.client);
      const own = cookies.filter(({ name }) => name === 'browser-client');
      assert.deepEqual(
        own.map(({ httpOnly, sameSite }) => ({ httpOnly, sameSite })),
        [{ httpOnly: true, sameSite: 'Lax' }],
      );
      assert.ok(cookies.every(({ value }) => !value.startsWith('eyJ')));
      assert.doesNotMatch(await page.content(), /eyJ[\w-]+\.[\w-]+\./);
    });

    it('tells kindly that the sign-in was cancelled, and starts again by one button', async () => {
      await page.click('#sign-in');
      await page.getByRole('button', { name: 'Cancel' }).click();
      assert.equal(await page.textContent('h1'), 'You cancelled the sign-in');
      await page.click('#continue');
      assert.ok(page.url().startsWith(`${demo.urls.provider}/login/`));
    });

    it('does nothing with a form that is not its own (CSRF)', async () => {
      await signIn();
      await page.$eval('form[action="/log-line"] input[name=csrf]', (input) => input.setAttribute('value', 'forged'));
      await page.fill('#message', 'forged line');
      await page.click('#write-line');
      assert.equal(await page.textContent('h1'), 'This form is no longer valid');
      await page.click('#continue');
      assert.doesNotMatch((await page.textContent('#lines')) ?? '', /forged line/);
    });

    it('refuses a callback that this browser did not ask for', async () => {
      const response = await page.goto(`${demo.urls.client}/callback?code=stolen&state=unknown`);
      assert.equal(response?.status(), 400);
      assert.equal(await page.textContent('h1'), 'This sign-in is no longer valid');
    });
  });
});
