// Pages that are rendered once for many requests: nothing tells them from pages that are rendered for each.
import assert from 'node:assert/strict';
import Koa from 'koa';
import inject from 'light-my-request';
import { languages } from '../../src/http/languages.ts';
import { renderWithGaps } from '../../src/http/page-gaps.ts';
import { createPageResponses } from '../../src/http/page-responses.ts';
import { createPages } from '../../src/http/pages.ts';
import { pageFiles } from '../support/page-samples.ts';

const MARKUP = `"><svg onload='alert(1)'>&amp;`;

describe('a page with gaps', () => {
  it('is rendered once, and filled with escaped text as often as it is shown', () => {
    let times = 0;
    const page = renderWithGaps(['a', 'b'], ({ a, b }) => {
      times += 1;
      return `<p title="${a}">${b}${a}</p>`;
    });
    assert.equal(page({ a: '1', b: '2' }), '<p title="1">21</p>');
    const escaped = "&quot;&gt;&lt;svg onload='alert(1)'&gt;&amp;amp;";
    assert.equal(page({ a: MARKUP, b: '' }), `<p title="${escaped}">${escaped}</p>`);
    assert.equal(page({ a: '$1$&', b: 'b' }), '<p title="$1$&amp;">b$1$&amp;</p>');
    assert.equal(times, 1);
  });

  it('may lack a gap', () => {
    assert.equal(renderWithGaps(['a', 'b'], ({ b }) => b)({ a: '1', b: '2' }), '2');
  });
});

describe('a prepared error page', () => {
  const pages = createPageResponses(
    createPages({ name: 'Example', logoUrl: 'https://www.example.com/x.svg' }, pageFiles),
    'https://id.example.com/sso',
  );
  const busy = { status: 503, error: 'temporarily_unavailable', description: 'too many at once' };
  const refused = { status: 400, error: 'invalid_request' };
  const absent = { status: 404, error: 'not_found' };

  for (const failure of [busy, refused, absent]) {
    const prepared = pages.prepareError(failure);
    for (const { language } of languages) {
      for (const query of ['', 'r=v1.a.b', `r=${MARKUP}`, 'ui_locales=de', 'ui%5Flocales=de']) {
        it(`with status ${failure.status} is the same as any other, in "${language}" with the query "${query}"`, async () => {
          const [rendered, filled] = await Promise.all(
            [pages.error, prepared.show].map(async (show) => {
              const koa = new Koa();
              koa.use((ctx) => {
                ctx.set('x-request-id', '0f1e2d3c');
                show(ctx, failure);
              });
              const { statusCode, headers, body } = await inject(koa.callback() as never, {
                url: `/login/abc?${query}`,
                headers: { 'accept-language': language },
              });
              return { statusCode, headers: { ...headers, date: undefined }, body };
            }),
          );
          assert.deepEqual(filled, rendered);
          assert.equal(filled?.statusCode, failure.status);
          assert.match(String(filled?.body), /<code>0f1e2d3c<\/code>/);
          assert.equal(filled?.body.includes('href="/sso/"'), failure === absent);
        });
      }
    }
  }
});
