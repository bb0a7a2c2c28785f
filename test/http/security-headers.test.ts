// The headers of pages and of answers for programs: what a Content-Security-Policy may and may not be made to say.
import assert from 'node:assert/strict';
import { apiHeaders, createPageHeaders } from '../../src/http/security-headers.ts';

const pageHeaders = createPageHeaders('https://id.example.com/sso/styles/x.css');

function directive(headers: Record<string, string>, name: string): string | undefined {
  const all = headers['Content-Security-Policy']?.split('; ') ?? [];
  return all.find((one) => one.startsWith(`${name} `));
}

describe('security headers', () => {
  it('let a page have its one stylesheet and nothing else (RFC 9700 §4.16)', () => {
    const headers = pageHeaders({});
    assert.equal(
      headers['Content-Security-Policy'],
      "default-src 'none'; style-src https://id.example.com/sso/styles/x.css; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
  });

  for (const [what, headers] of [
    ['a page', pageHeaders({})],
    ['an answer for programs', apiHeaders()],
  ] as const) {
    it(`keep ${what} from being framed, sniffed, cached and named to other sites`, () => {
      assert.equal(headers['X-Frame-Options'], 'DENY');
      assert.equal(headers['X-Content-Type-Options'], 'nosniff');
      assert.equal(headers['Cache-Control'], 'no-store');
      assert.equal(headers['Referrer-Policy'], 'no-referrer');
      assert.equal(directive(headers, 'frame-ancestors'), "frame-ancestors 'none'");
      assert.equal(directive(headers, 'default-src'), "default-src 'none'");
    });
  }

  it('allow no script in an answer for programs, but have the directive that oidc-provider adds its own to', () => {
    const directives = apiHeaders()['Content-Security-Policy']?.split('; ');
    assert.ok(directives?.includes('script-src'));
  });

  const images: [string, string][] = [
    ['https://reports.example/logo.svg', 'img-src data: https://reports.example'],
    ['http://localhost:5000/logo.svg?size=2', 'img-src data: http://localhost:5000'],
    ['https://user:secret@reports.example/logo.svg', 'img-src data: https://reports.example'],
    ["https://a;script-src'unsafe-inline'.example/", 'img-src data:'],
    ['https://*.example/logo.svg', 'img-src data:'],
    ['https://a,b.example/logo.svg', 'img-src data:'],
    ['javascript:alert(1)', 'img-src data:'],
    ["'unsafe-inline'", 'img-src data:'],
    ['*', 'img-src data:'],
    ['', 'img-src data:'],
  ];
  for (const [uri, expected] of images) {
    it(`turn the logo "${uri}" into "${expected}"`, () => {
      assert.equal(directive(pageHeaders({ imgSrc: [uri] }), 'img-src'), expected);
    });
  }

  const targets: [string, string][] = [
    ['https://web.example/callback', "form-action 'self' https:"],
    ['http://127.0.0.1:49152/callback', "form-action 'self' http:"],
    ['http://[::1]:49152/callback', "form-action 'self' http:"],
    ['com.example.app:/callback', "form-action 'self' com.example.app:"],
    ["https://a;script-src'unsafe-inline'.example/", "form-action 'self' https:"],
    ['javascript:alert(1)', "form-action 'self'"],
    ['data:text/html,x', "form-action 'self'"],
    ["'unsafe-inline'", "form-action 'self'"],
    ['*', "form-action 'self'"],
  ];
  for (const [uri, expected] of targets) {
    it(`turn the redirect URI "${uri}" into "${expected}"`, () => {
      assert.equal(directive(pageHeaders({ formAction: [uri] }), 'form-action'), expected);
    });
  }

  const stylesheets: [string, string][] = [
    ['https://id.example.com/styles/x.css', 'style-src https://id.example.com/styles/x.css'],
    ['https://id.example.com:8443/~a/styles/x.css', 'style-src https://id.example.com:8443/~a/styles/x.css'],
    ['https://[2001:db8::1]/styles/x.css', "style-src 'self'"],
    ['https://id.example.com/a;b/styles/x.css', "style-src 'self'"],
    ['http://localhost:3000/styles/x.css', "style-src 'self'"],
  ];
  for (const [uri, expected] of stylesheets) {
    it(`turn the stylesheet "${uri}" into "${expected}"`, () => {
      assert.equal(directive(createPageHeaders(uri)({}), 'style-src'), expected);
    });
  }

  it('name each source once', () => {
    const headers = pageHeaders({ formAction: ['https://a.example/', 'https://b.example/'] });
    assert.equal(directive(headers, 'form-action'), "form-action 'self' https:");
  });
});
