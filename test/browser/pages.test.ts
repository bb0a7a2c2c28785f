// The pages in a real Chromium: they look and work as meant under their own headers, for eyes, keyboard and screen reader.
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { createPages } from '../../src/http/pages.ts';
import { createPageHeaders } from '../../src/http/security-headers.ts';
import { openBrowser } from '../support/browser.ts';
import { pageFiles, pageNames, pageSamples, scripts, stylesheet } from '../support/page-samples.ts';

const pages = createPages({ name: 'Example Accounts' }, pageFiles);

/** Every piece of text whose contrast with what lies behind it is below 4.5:1 (WCAG 2.2 §1.4.3). */
const LOW_CONTRAST = `(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color).slice(0, 3).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (channels(color)[3] !== 0) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const low = [];
  for (const element of document.body.querySelectorAll('*')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own && element.localName !== 'input') continue;
    const [a, b] = [getComputedStyle(element).color, ground(element)].map(luminance);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push(element.localName + ' ' + element.textContent + ' ' + ratio.toFixed(2));
  }
  return low;
})()`;

/** Buttons, fields and stand-alone links smaller than 24 by 24 CSS pixels (WCAG 2.2 §2.5.8). */
const SMALL_TARGETS = `[...document.querySelectorAll('button, a, input:not([type=hidden])')]
  .filter((one) => { const box = one.getBoundingClientRect(); return one.checkVisibility() && (box.width < 24 || box.height < 24); })
  .map((one) => one.outerHTML)`;

const looks: [string, BrowserContextOptions][] = [
  ['on a phone in the light', { viewport: { width: 390, height: 844 }, colorScheme: 'light' }],
  ['on a phone in the dark', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' }],
  ['on a narrow screen', { viewport: { width: 320, height: 256 }, colorScheme: 'light' }],
  ['on a desk', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' }],
];

describe('pages in Chromium', () => {
  let browser: Browser;
  let provider: Site;
  let client: Site;

  before(async () => {
    browser = await openBrowser();
    client = await openSite((request, response) => {
      if (request.url?.startsWith('/callback')) redirect(response, 302, `http://localhost:${client.port}/home`);
      else response.end('welcome back');
    });
    provider = await openSite((request, response) => {
      if (request.method === 'POST') redirect(response, 303, `${client.origin}/callback?code=c`);
      else answerPage(request, response, client.origin);
    });
  });

  after(async () => {
    await browser?.close();
    provider?.server.close();
    client?.server.close();
  });

  async function withPage(options: BrowserContextOptions, story: (page: Page) => Promise<void>): Promise<void> {
    const context = await browser.newContext(options);
    try {
      await story(await context.newPage());
    } finally {
      await context.close();
    }
  }

  for (const [look, options] of looks) {
    it(`can be read and hit ${look}, with no word from the console`, () =>
      withPage(options, async (page) => {
        const said: string[] = [];
        page.on('console', (message) => said.push(message.text()));
        for (const name of pageNames) {
          await page.goto(`${provider.origin}/${name}`);
          await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
          assert.deepEqual(await page.evaluate(LOW_CONTRAST), [], name);
          assert.deepEqual(await page.evaluate(SMALL_TARGETS), [], name);
          const width = await page.evaluate('document.documentElement.scrollWidth');
          assert.ok(Number(width) <= (options.viewport?.width ?? 0), `${name} scrolls sideways: ${width}`);
        }
        assert.deepEqual(said, []);
      }));
  }

  for (const name of pageNames) {
    it(`gives every control of the ${name} page a name, and one heading`, () =>
      withPage({}, async (page) => {
        await page.goto(`${provider.origin}/${name}`);
        const outline = await page.locator('html').ariaSnapshot();
        assert.doesNotMatch(outline, /- (textbox|button|link)(?! ")/);
        assert.equal(outline.match(/heading .*\[level=1\]/g)?.length, 1);
        assert.equal(await page.locator('html').getAttribute('lang'), 'en');
      }));
  }

  it('reads the error to whoever lands in the password field, and shows it as an alert', () =>
    withPage({}, async (page) => {
      await page.goto(`${provider.origin}/login`);
      const error = pageSamples.login.error ?? '';
      assert.equal(await page.getByRole('alert').textContent(), error);
      const focused = page.locator(':focus');
      assert.equal(await focused.getAttribute('name'), 'password');
      assert.equal(await focused.getAttribute('aria-describedby'), await page.getByRole('alert').getAttribute('id'));
      assert.equal(await page.getByLabel('Username or email').inputValue(), pageSamples.login.login);
    }));

  it('signs in by keyboard alone without JavaScript, through a callback that moves to another host', () =>
    withPage({ javaScriptEnabled: false }, async (page) => {
      await page.goto(`${provider.origin}/login`);
      await page.locator('#password:focus').waitFor();
      await page.keyboard.type('a & b');
      await page.keyboard.press('Enter');
      await page.waitForURL('**/home');
      assert.equal(await page.locator('body').textContent(), 'welcome back');
      const sent = provider.bodies.at(-1);
      assert.deepEqual(sent, ['/login/kq3', { csrf: 'vJ2cQ0', login: 'alice@example.org', password: 'a & b' }]);
    }));

  const buttons: [keyof typeof pageSamples, string, string, Record<string, string>][] = [
    ['login', 'Cancel', '/login/kq3/cancel', { csrf: 'vJ2cQ0' }],
    ['consent', 'Allow', '/login/kq3/consent', { csrf: 'vJ2cQ0' }],
    ['consent', 'Don’t allow', '/login/kq3/cancel', { csrf: 'vJ2cQ0' }],
    ['logout', 'Sign out', '/logout/confirm', { xsrf: 'vJ2cQ0', logout: 'yes' }],
    ['logout', 'Stay signed in', '/logout/confirm', { xsrf: 'vJ2cQ0' }],
  ];
  for (const [name, label, action, fields] of buttons) {
    it(`posts ${JSON.stringify(fields)} to ${action} for “${label}” on the ${name} page`, () =>
      withPage({}, async (page) => {
        await page.goto(`${provider.origin}/${name}`);
        await page.getByRole('button', { name: label, exact: true }).click();
        await page.waitForURL('**/home');
        assert.deepEqual(provider.bodies.at(-1), [action, fields]);
      }));
  }

  it('shows the client’s logo and asks no third site for anything', () =>
    withPage({}, async (page) => {
      const asked: string[] = [];
      page.on('request', (request) => asked.push(new URL(request.url()).origin));
      await page.goto(`${provider.origin}/login`);
      assert.ok(Number(await page.evaluate('document.images[0].naturalWidth')) > 0);
      assert.deepEqual(
        [...new Set(asked)].filter((origin) => origin !== 'null').sort(),
        [provider.origin, client.origin].sort(),
      );
    }));
});

interface Site {
  server: Server;
  port: number;
  origin: string;
  /** path and form of each POST received */
  bodies: [string, Record<string, string>][];
}

async function openSite(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Site> {
  const bodies: Site['bodies'] = [];
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      bodies.push([request.url ?? '', Object.fromEntries(new URLSearchParams(await text(request)))]);
    }
    const script = scripts.find(({ path }) => path === request.url);
    if (request.url === '/logo.svg') {
      response.setHeader('content-type', 'image/svg+xml');
      response.end(
        '<svg xmlns="http://www.w3.org/2000/svg" width="48" height="48"><circle cx="24" cy="24" r="24"/></svg>',
      );
    } else if (script) {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(script.source);
    } else if (request.url === stylesheet.path) {
      response.writeHead(200, { 'content-type': 'text/css; charset=utf-8' }).end(stylesheet.source);
    } else answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { server, port, origin: `http://127.0.0.1:${port}`, bodies };
}

function answerPage(request: IncomingMessage, response: ServerResponse, clientOrigin: string): void {
  const name = pageNames.find((one) => request.url === `/${one}`);
  if (!name) {
    response.writeHead(404).end();
    return;
  }
  const locals = structuredClone(pageSamples[name]);
  if ('client' in locals && locals.client && 'logoUri' in locals.client) {
    locals.client.logoUri = `${clientOrigin}/logo.svg`;
  }
  const headers = createPageHeaders(`http://${request.headers.host}${stylesheet.path}`)({
    formAction: [`${clientOrigin}/callback`],
    imgSrc: [`${clientOrigin}/logo.svg`],
    scriptSrc: scripts.map(({ path }) => `http://${request.headers.host}${path}`),
  });
  response.writeHead(200, { ...headers, 'Content-Type': 'text/html; charset=utf-8' });
  response.end(pages.render(name, locals as never));
}

function redirect(response: ServerResponse, status: number, location: string): void {
  response.writeHead(status, { location }).end();
}
