// What the rendered pages say and never contain, read as text.
import assert from 'node:assert/strict';
import { parse } from 'node-html-parser';
import { createPages, type Pages } from '../../src/http/pages.ts';
import { pageFiles, pageNames, pageSamples, stylesheet } from '../support/page-samples.ts';

const pages = createPages({ name: 'Example Accounts' }, pageFiles);

/** Addresses that become links and images. */
const LINKS = new Set(['logoUri', 'policyUri', 'tosUri', 'clientUri', 'href', 'discovery']);

/** What a sample has and its page does not show. */
const UNSEEN: Partial<Record<keyof Pages, string[]>> = {
  // a scope's name stands in for its description only where that is missing
  consent: ['consent.scopes.0.name', 'consent.scopes.1.name'],
  // the session of this browser is ended by signing out
  'account-sessions': ['account-sessions.sessions.0.id'],
};

/**
 * A copy of `value` whose every string is hostile, in a way that tells it apart by its path, which is added to `paths`.
 * Links are hostile inside a web address, as others are not shown.
 */
function poisoned(value: unknown, path: string, paths: string[]): unknown {
  if (typeof value === 'string') {
    const poison = `"><svg onload=alert('${path}')>`;
    if (LINKS.has(path.split('.').at(-1) ?? '')) return `https://h.example/${poison}`;
    paths.push(path);
    return poison;
  }
  if (Array.isArray(value)) return value.map((item, index) => poisoned(item, `${path}.${index}`, paths));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, poisoned(item, `${path}.${key}`, paths)]));
}

/** Poison as text or as the value of an attribute. */
function escaped(path: string): string {
  return `&quot;&gt;&lt;svg onload=alert('${path}')&gt;`;
}

describe('pages', () => {
  for (const name of pageNames) {
    it(`escapes everything that the ${name} page shows`, () => {
      const paths: string[] = [];
      const html = pages.render(name, poisoned(pageSamples[name], name, paths) as never);
      assert.doesNotMatch(html, /<svg onload/);
      const hidden = paths.filter((path) => !html.includes(escaped(path)));
      assert.deepEqual(hidden, UNSEEN[name] ?? []);
    });

    it(`needs no script but that of forms and that of passkeys, no inline handler, inline style attribute or other site for the ${name} page`, () => {
      const html = pages.render(name, withoutLinks(pageSamples[name]) as never);
      assert.doesNotMatch(
        html,
        /<script(?! src="\/scripts\/(forms|passkeys)-[\w-]+\.js" defer(="defer")?><\/script>)|<iframe|<base|<object|<embed/i,
      );
      assert.doesNotMatch(html, /<[^>]+\s(on\w+|style)\s*=/i);
      assert.doesNotMatch(html, /@import|url\(|(src|action|srcset|href)="(?!\/(?!\/)|data:)/i);
    });
  }

  it('escapes the name of the installation, which every page shows', () => {
    const named = createPages({ name: '<b>&' }, pageFiles);
    for (const name of pageNames) {
      assert.ok(named.render(name, pageSamples[name] as never).includes('<span>&lt;b&gt;&amp;</span>'), name);
    }
  });

  it('shows the logo of the installation in the place of the mark, and lets nothing else be loaded', () => {
    const logoUrl = 'https://www.example.com/logo.svg?a=1&b=2';
    const branded = createPages({ name: 'Example Accounts', logoUrl }, pageFiles);
    assert.deepEqual([pages.images, branded.images], [[], [logoUrl]]);
    for (const name of pageNames) {
      const html = branded.render(name, pageSamples[name] as never);
      assert.ok(html.includes(`<img class="installation-logo" src="${logoUrl.replace('&', '&amp;')}" alt="">`), name);
      assert.doesNotMatch(html, /class="mark"/);
    }
  });

  it('shows the name of a scope that has no description', () => {
    const html = pages.render('consent', {
      ...pageSamples.consent,
      scopes: [{ name: 'reports:read', description: '' }],
    });
    assert.match(html, /<li>reports:read<\/li>/);
  });

  for (const uri of ['javascript:alert(1)', 'data:text/html,x', 'vbscript:x', '//other.example/', 'reports', '']) {
    it(`makes no link of the address "${uri}"`, () => {
      const client = { name: 'n', logoUri: uri, policyUri: uri, tosUri: uri, clientUri: uri };
      const button = { href: uri, label: 'b' };
      const html = [
        pages.render('login', { action: '/login', csrf: 'c', client }),
        pages.render('consent', { ...pageSamples.consent, client }),
        pages.render('error', { ...pageSamples.error, button }),
      ].join('');
      assert.doesNotMatch(html, /<a[\s>]|<img/);
    });
  }

  it('leads on from the page of who has signed out: to a client that has a web page, else to our own first one', () => {
    const start = { href: '/sso/' };
    const withUri = (clientUri: string) => pages.render('signed-out', { client: { name: 'n', clientUri }, start });
    for (const html of [pages.render('signed-out', { start }), withUri('javascript:alert(1)'), withUri('reports')]) {
      const [link, ...others] = parse(html).querySelectorAll('main a');
      assert.deepEqual([link?.getAttribute('href'), link?.text, others], ['/sso/', 'Go to the start page', []]);
    }
    const [back, ...others] = parse(withUri('https://reports.example/')).querySelectorAll('main a');
    assert.deepEqual([back?.getAttribute('href'), others], ['https://reports.example/', []]);
  });

  it('links to a rooted path of its own from the error page', () => {
    const html = pages.render('error', { ...pageSamples.error, button: { href: '/login', label: 'Sign in again' } });
    assert.match(html, /<a [^>]*href="\/login">Sign in again<\/a>/);
  });

  it('opens the client’s own pages without an opener or a referrer', () => {
    const html = pages.render('login', pageSamples.login);
    const outward = html.match(/<a href="https:[^>]*>/g) ?? [];
    assert.equal(outward.length, 2);
    for (const link of outward) assert.match(link, /target="_blank" rel="noopener noreferrer"/);
  });

  it('have one stylesheet, and no style of their own', () => {
    for (const name of pageNames) {
      const document = parse(pages.render(name, pageSamples[name] as never));
      const links = document.querySelectorAll('link[rel=stylesheet]').map((link) => link.getAttribute('href'));
      assert.deepEqual(links, [stylesheet.href], name);
      assert.equal(document.querySelector('style'), null, name);
    }
    assert.equal(pages.styleSrc, stylesheet.url);
  });

  it('have the script that keeps forms from being sent twice where there is a form, and say so', () => {
    for (const name of pageNames.filter((one) => one !== 'form-post')) {
      const document = parse(pages.render(name, pageSamples[name] as never));
      const hasForm = document.querySelector('form') !== null;
      const scripts = document.querySelectorAll('head script').map((script) => script.getAttribute('src'));
      assert.deepEqual(scripts, hasForm ? [pageFiles.formScript.href] : [], name);
      assert.deepEqual(pages.scriptsOf(name), hasForm ? [pageFiles.formScript.url] : [], name);
    }
    assert.deepEqual(pages.scriptsOf('form-post'), []);
  });

  const titles: [string, string, string][] = [
    [
      'the error first',
      pages.render('login', pageSamples.login),
      `${pageSamples.login.error} – Sign in to Example Reports`,
    ],
    ['where a sign-in leads', pages.render('login', withoutError()), 'Sign in to Example Reports'],
    ['plainly what it is', pages.render('login', { action: '/login', csrf: 'c' }), 'Sign in'],
    ['that it is an error', pages.render('error', pageSamples.error), 'Error: This sign-in page has expired'],
  ];
  for (const [what, html, title] of titles) {
    it(`says ${what} in the title: "${title}"`, () => {
      assert.ok(html.includes(`<title>${title}</title>`));
    });
  }

  for (const name of pageNames) {
    const { error } = pageSamples[name] as { error?: string };
    if (error === undefined || name === 'error') continue;
    it(`says first in the title of the ${name} page what was wrong, and with each of its fields`, () => {
      const document = parse(pages.render(name, pageSamples[name] as never));
      assert.ok(document.querySelector('title')?.text.startsWith(`${error} – `));
      assert.equal(document.querySelector('#error')?.text.trim(), error);
      for (const field of document.querySelectorAll('.field input')) {
        const described = field.getAttribute('aria-describedby')?.split(' ') ?? [];
        assert.equal(described[0], 'error', field.outerHTML);
        for (const id of described) assert.ok(document.getElementById(id), id);
      }
    });
  }

  it('offers no cancel button where there is nothing to cancel', () => {
    assert.doesNotMatch(pages.render('login', { action: '/login', csrf: 'c' }), /id="cancel"/);
  });

  it('never writes a password back into the page', () => {
    const html = pages.render('login', { ...pageSamples.login, password: 'correct horse' } as Pages['login']);
    assert.doesNotMatch(html, /correct horse/);
    assert.match(html, /<input id="password" type="password" name="password" autocomplete="current-password"/);
  });
});

function withoutError(): Pages['login'] {
  const { error: _, ...login } = pageSamples.login;
  return login;
}

function withoutLinks(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutLinks);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => !LINKS.has(key));
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutLinks(item)]));
}
