// Letters and the process: development prints them for a person, and an ending process takes none with it.
import assert from 'node:assert/strict';
import { startProcess } from '../spec/process.ts';
import { askFor, startCorrespondence } from '../support/letters.ts';
import { createUserAgent } from '../support/user-agent.ts';

describe('a letter', () => {
  it('is printed in development, where there is no mail server, and its link opens', async () => {
    await using service = startProcess({ NODE_ENV: 'development', DEMO_USERNAME: 'demo', DEMO_PASSWORD: 'a-demo' });
    const origin = await service.listening;
    const issuer = String(/"issuer":"([^"]+)"/.exec(service.output())?.[1]);
    const agent = createUserAgent(origin);
    await askFor(agent, `${origin}/reset-password`, { login: 'demo' });
    while (!/^-+\n\{?/m.test(service.output()) || !/minutes/.test(service.output())) {
      await new Promise((resolve) => service.child.stdout?.once('data', resolve));
    }
    const output = service.output();
    assert.match(output, /^To: demo@example\.com\nSubject: New password for /m);
    const link = String(/^http\S+(\/reset-password\/\S+)$/m.exec(output)?.[1]);
    assert.ok(output.includes(`\n${issuer}${link}\n`));
    const page = await agent.open(`${origin}${link}`);
    assert.equal(page.response.status, 200, link);
    assert.ok(page.document.querySelector('#password'));
    // the log itself has none of it
    const lines = output.split('\n').filter((line) => line.startsWith('{'));
    for (const line of lines) assert.ok(!line.includes(link));
  });

  it('that was asked for just before the end is still sent', async () => {
    const correspondence = await startCorrespondence();
    const account = await correspondence.addAccount();
    await askFor(correspondence.browser(), `${correspondence.service.origin}/reset-password`, {
      login: account.username,
    });
    await correspondence[Symbol.asyncDispose]();
    assert.deepEqual(
      correspondence.mailbox.letters.map(({ to }) => to),
      [[account.email]],
    );
  });
});
