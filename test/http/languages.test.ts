// The languages of the pages: which one a request gets, and that every language says everything.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import pug from 'pug';
import { languages } from '../../src/http/languages.ts';
import { createPages } from '../../src/http/pages.ts';
import { en } from '../../views/texts/en.ts';
import { pageFiles, pageNames, pageSamples } from '../support/page-samples.ts';
import { addRelyingParty, authorizationRequest, logIn } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent } from '../support/user-agent.ts';

const VIEWS = join(import.meta.dirname, '../../views');

/** `['login.lead 1', …]`: each text by its path, with the number of its parameters. */
function shapeOf(texts: object, path: string[] = []): string[] {
  return Object.entries(texts).flatMap(([key, text]) => {
    const at = [...path, key];
    if (typeof text === 'object' && text !== null) return shapeOf(text, at);
    return `${at.join('.')} ${typeof text === 'function' ? text.length : typeof text}`;
  });
}

/** Every text, its functions called with the names of their parameters' places. */
function wordsOf(texts: object): string[] {
  return Object.values(texts).flatMap((text) => {
    const said = typeof text === 'function' ? text(place('0'), place('1'), place('2'), place('3')) : text;
    return typeof said === 'object' && said !== null ? wordsOf(said) : String(said);
  });
}

/** Stands for a string, and for an object whose every member is a string. */
function place(name: string): unknown {
  return new Proxy(
    {},
    {
      get: (_, key) => (typeof key === 'symbol' || key === 'toString' ? () => `⟨${name}⟩` : `⟨${key}⟩`),
    },
  );
}

describe('texts', () => {
  const pages = createPages({ name: 'Example Accounts' }, pageFiles);

  it('are in a file named after the language, and every file is used', () => {
    const files = readdirSync(join(VIEWS, 'texts')).sort();
    assert.deepEqual(languages.map(({ language }) => `${language}.ts`).sort(), files);
  });

  for (const texts of languages) {
    it(`say the same things in "${texts.language}" as in English, with the same parameters`, () => {
      assert.deepEqual(shapeOf(texts).sort(), shapeOf(en).sort());
    });

    it(`say something everywhere in "${texts.language}", and use every parameter`, () => {
      const words = wordsOf(texts);
      assert.deepEqual(
        words.filter((text) => text.trim() !== text || text === '' || /undefined|\[object/.test(text)),
        [],
      );
      const placesOf = (all: string[]) => all.map((text) => (text.match(/⟨\w+⟩/g) ?? []).sort().join());
      assert.deepEqual(placesOf(words), placesOf(wordsOf(en)));
    });

    for (const name of pageNames) {
      it(`are what the ${name} page says in "${texts.language}"`, () => {
        const html = pages.render(name, pageSamples[name] as never, texts);
        assert.ok(html.includes(`<html lang="${texts.language}">`));
        assert.doesNotMatch(html, /undefined|\[object|\u{fdd0}/u);
      });
    }
  }
});

describe('templates', () => {
  for (const file of readdirSync(VIEWS).filter((name) => name.endsWith('.pug'))) {
    it(`leave every word of ${file} to the texts`, () => {
      assert.deepEqual(literalsIn(join(VIEWS, file)), []);
    });
  }

  it('are searched for words in text, code and attributes', () => {
    const literals = literalsIn(
      'inline.pug',
      "p Hello\np= 'Good' + ' day'\nimg(alt='A picture', src='/a b')\np= self.t.x\n",
    );
    assert.deepEqual(literals, ['Hello', "'Good' + ' day'", "alt='A picture'"]);
  });
});

describe('The language of a page', () => {
  let service: Service;
  before(async () => {
    service = await startService();
  });
  after(() => service[Symbol.asyncDispose]());

  const cases: [string, string | undefined, string | undefined, string][] = [
    ['what the browser asks for', undefined, 'de', 'de'],
    ['what the browser prefers', undefined, 'en;q=0.5, de;q=0.9', 'de'],
    ['a language for one of its regions', undefined, 'de-CH, fr', 'de'],
    ['English when the browser knows no other', undefined, 'fr, ja', 'en'],
    ['English when the browser asks for nothing', undefined, undefined, 'en'],
    ['what the request asks for before what the browser does', 'de', 'en', 'de'],
    ['the first one there is of those that the request asks for', 'fr-CA fr de-AT en', 'en', 'de'],
    ['a language however it is written', 'DE-at', undefined, 'de'],
    ['what the browser asks for when the request asks for none that there is', 'fr xx-', 'de', 'de'],
    ['English in spite of names that objects have', 'constructor __proto__ toString', undefined, 'en'],
  ];
  for (const [what, uiLocales, acceptLanguage, expected] of cases) {
    it(`is ${what} (OIDC Core §3.1.2.1): ui_locales=${uiLocales}, Accept-Language: ${acceptLanguage}`, async () => {
      const { url } = await authorizationRequest(await addRelyingParty(service), {
        ...(uiLocales && { ui_locales: uiLocales }),
      });
      const headers: Record<string, string> = acceptLanguage ? { 'accept-language': acceptLanguage } : {};
      const { response, document } = await openWith(headers, url.href);
      assert.equal(response.headers.get('content-language'), expected);
      assert.equal(document.querySelector('html')?.getAttribute('lang'), expected);
      const { title } = languages.find(({ language }) => language === expected)?.login ?? en.login;
      assert.equal(document.querySelector('h1')?.text, title);
      assert.match(response.headers.get('vary') ?? '', /accept-language/i);
    });
  }

  /** Sends the headers to every stop on the way. */
  function openWith(headers: Record<string, string>, url: string) {
    const send: typeof fetch = (input, init) => {
      const all = new Headers(init?.headers);
      if (!all.has('accept-language')) all.set('accept-language', headers['accept-language'] ?? '');
      if (!headers['accept-language']) all.delete('accept-language');
      return fetch(input, { ...init, headers: all });
    };
    return createUserAgent(service.origin, { fetch: send }).open(url);
  }

  it('is kept when the form comes back with an error', async () => {
    const { url } = await authorizationRequest(await addRelyingParty(service), { ui_locales: 'de' });
    const agent = createUserAgent(service.origin);
    const page = await agent.open(url.href);
    const again = await agent.submit(page, { login: 'alice', password: 'wrong' });
    const german = languages.find(({ language }) => language === 'de');
    assert.equal(again.document.querySelector('#error p')?.text, german?.login.refused);
  });

  it('is that of the sign-in which got lost', async () => {
    const { url } = await authorizationRequest(await addRelyingParty(service), { ui_locales: 'de' });
    const page = await createUserAgent(service.origin).open(url.href);
    const elsewhere = await createUserAgent(service.origin).open(page.response.url);
    assert.equal(elsewhere.response.status, 400);
    assert.equal(elsewhere.response.headers.get('content-language'), 'de');
  });

  for (const button of ['sign-out', 'stay', 'go-on']) {
    it(`is that of a logout to its end, by #${button} (RP-Initiated Logout §2)`, async () => {
      const party = await addRelyingParty(service, { client_name: 'Example' });
      const signedIn = button === 'go-on' ? createUserAgent(service.origin) : (await logIn(party)).agent;
      const query = new URLSearchParams({ ui_locales: `"><b>' xx de-AT en`, client_id: party.clientId });
      const question = await signedIn.open(`${service.origin}/logout?${query}`);
      const action = question.document.querySelector('form')?.getAttribute('action');
      assert.equal(action, `${service.issuer}/logout/confirm?ui_locales=de`);
      const done = await signedIn.submit(question, {}, button);
      assert.equal(done.response.status, 200, done.text);
      assert.equal(done.document.querySelector('html')?.getAttribute('lang'), 'de');
      assert.equal(new URL(done.url).searchParams.get('ui_locales'), 'de');
      assert.equal(done.text.includes('Example'), button === 'stay');
    });
  }

  it('is that of a logout which has been confirmed before', async () => {
    const { agent } = await logIn(await addRelyingParty(service));
    const question = await agent.open(`${service.origin}/logout?ui_locales=de`);
    await agent.submit(question, {}, 'sign-out');
    const again = await agent.submit(question, {}, 'sign-out');
    assert.equal(again.response.status, 400);
    assert.equal(again.document.querySelector('html')?.getAttribute('lang'), 'de');
  });

  it('is what an authorization request asks for that is refused', async () => {
    const { document } = await createUserAgent(service.origin).open(
      `${service.origin}/authorize?client_id=nobody&ui_locales=de`,
    );
    assert.equal(document.querySelector('html')?.getAttribute('lang'), 'de');
    assert.equal(document.querySelector('dd[lang]')?.getAttribute('lang'), 'en');
  });

  it('is found within 50 ms in 4 KB of languages and 8 KB of Accept-Language (R72)', async () => {
    const hostile = [
      ['x'.repeat(4096), 'de'],
      ['-'.repeat(4096), 'de'],
      ['a-'.repeat(2048), 'a-b-c;q=0.1,'.repeat(680)],
      [' '.repeat(4096), `${';q='.repeat(2700)}`],
    ] as const;
    for (const [uiLocales, acceptLanguage] of hostile) {
      const address = `${service.origin}/?${new URLSearchParams({ ui_locales: uiLocales })}`;
      const times: number[] = [];
      for (let turn = 0; turn < 3; turn += 1) {
        const begun = performance.now();
        const response = await fetch(address, { headers: { 'accept-language': acceptLanguage, accept: 'text/html' } });
        await response.text();
        times.push(performance.now() - begun);
        assert.equal(response.status, 200);
      }
      assert.ok(Math.min(...times) < 50, `${uiLocales.slice(0, 5)}: ${times}`);
    }
  });
});

interface PugNode {
  type: string;
  val?: unknown;
  buffer?: boolean;
  attrs?: { name: string; val: unknown }[];
}

/** Attributes that people see or hear. */
const SPOKEN = new Set([
  'alt',
  'title',
  'placeholder',
  'aria-label',
  'aria-description',
  'content',
  'label',
  'summary',
]);
/** Attributes of the `meta` elements: for browsers. */
const FOR_BROWSERS = /^'(width=|light dark|#|noindex)/;

/** What a template says by itself: text, strings that its code prints, attributes. */
function literalsIn(filename: string, source?: string): string[] {
  const found: string[] = [];
  const visit = (node: PugNode): void => {
    if (node.type === 'Text' && /\p{L}/u.test(String(node.val))) found.push(String(node.val).trim());
    if (
      node.type === 'Code' &&
      node.buffer &&
      /(['"`])[^'"`]*\p{L}[^'"`]*\1/u.test(String(node.val).replace(/\$\{[^}]*\}/g, ''))
    ) {
      found.push(String(node.val));
    }
    for (const { name, val } of node.attrs ?? []) {
      if (SPOKEN.has(name) && /^['"`].*\p{L}/u.test(String(val)) && !FOR_BROWSERS.test(String(val))) {
        found.push(`${name}=${val}`);
      }
    }
    for (const child of Object.values(node).flat()) {
      if (typeof child === 'object' && child !== null && 'type' in child) visit(child as PugNode);
    }
  };
  const plugins = [
    {
      postParse(ast: PugNode) {
        visit(ast);
        return ast;
      },
    },
  ];
  const options = { self: true, filename, plugins } as pug.Options;
  if (source === undefined) pug.compileFile(filename, options);
  else pug.compile(source, options);
  return found;
}
