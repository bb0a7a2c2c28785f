// The installation's name, logo and colour, from the environment to the pages of the running service.
import assert from 'node:assert/strict';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent } from '../support/user-agent.ts';

describe('The installation', () => {
  let service: Service;
  before(async () => {
    service = await startService({
      INSTALLATION_NAME: 'Müller & Söhne',
      INSTALLATION_LOGO_URL: 'http://logos.example.com/mark.svg',
      INSTALLATION_COLOR: '#ffeb3b',
    });
  });
  after(() => service[Symbol.asyncDispose]());

  for (const path of ['/', '/login', '/no-such-page']) {
    it(`has its name, logo and colour at ${path}, as the page's own policy allows`, async () => {
      const { response, document } = await createUserAgent(service.origin).open(`${service.origin}${path}`);
      const header = document.querySelector('header.installation');
      assert.equal(header?.text.trim(), 'Müller & Söhne');
      assert.equal(header?.querySelector('img')?.getAttribute('src'), 'http://logos.example.com/mark.svg');
      const stylesheet = String(document.querySelector('link[rel=stylesheet]')?.getAttribute('href'));
      assert.match(await (await fetch(`${service.origin}${stylesheet}`)).text(), /--button: #ffeb3b;/);
      const policy = response.headers.get('content-security-policy') ?? '';
      assert.ok(policy.includes('img-src data: http://logos.example.com;'), policy);
      assert.ok(policy.includes("style-src 'self';"), policy);
    });
  }
});

describe('An installation without a name', () => {
  it('goes by the host of its issuer', async () => {
    await using service = await startService();
    const { document } = await createUserAgent(service.origin).open(`${service.origin}/`);
    assert.equal(document.querySelector('header.installation')?.text.trim(), new URL(service.issuer).host);
  });
});
