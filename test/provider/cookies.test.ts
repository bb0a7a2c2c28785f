// Cookie names and attributes, by what the issuer's URL allows (RFC 6265bis §4.1.3).
import assert from 'node:assert/strict';
import { cookieSettings } from '../../src/provider/cookies.ts';

describe('Cookie settings', () => {
  const cases: [issuer: string, session: string, interaction: string, path: string, secure: boolean][] = [
    ['https://id.example.com', '__Host-session', '__Secure-interaction', '/', true],
    ['https://id.example.com/sso', '__Secure-session', '__Secure-interaction', '/sso', true],
    ['http://localhost:3000', 'session', 'interaction', '/', false],
  ];
  for (const [issuer, session, interaction, path, secure] of cases) {
    it(`are as strict as ${issuer} allows`, () => {
      const { names, long, short } = cookieSettings(issuer, ['secret']);
      assert.deepEqual([names.session, names.interaction], [session, interaction]);
      assert.equal(long.path, path);
      for (const attributes of [long, short]) {
        assert.deepEqual({ ...attributes, httpOnly: true, sameSite: 'lax', secure, signed: true }, attributes);
        assert.ok(!('domain' in attributes));
      }
    });
  }
});
