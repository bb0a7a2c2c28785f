// An operator invites somebody by a command; the link chooses the password, proves the address, and opens once.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { runIdentity } from '../../src/cli/program.ts';
import { buttonOf, type Correspondence, linkIn, NEW_PASSWORD, startCorrespondence } from '../support/letters.ts';
import { addRelyingParty, authorizationRequest, callbackOf, redeem, signIn } from '../support/relying-party.ts';
import { startService } from '../support/service.ts';
import { createUserAgent } from '../support/user-agent.ts';

const PATH = '/invitation';
const ENCRYPTION_KEY = 'b7Nq2Mw5Ev8Rc1Tx4Zy6Ua9Is3Op0Lk-encrypt';

describe('an invitation', () => {
  let correspondence: Correspondence;
  before(async () => {
    correspondence = await startCorrespondence({ ENCRYPTION_KEY });
  });
  after(() => correspondence[Symbol.asyncDispose]());

  /** Runs the command on the database of the service. */
  async function user(argv: readonly string[], env: Record<string, string | undefined> = {}) {
    const { service, mailbox } = correspondence;
    const [stdout, stderr]: [string[], string[]] = [[], []];
    const path = 'path' in service.config.database ? service.config.database.path : '';
    const code = await runIdentity({
      argv: ['user', ...argv],
      env: {
        NODE_ENV: 'test',
        PUBLIC_URL: service.issuer,
        COOKIE_SECRET: '3kQp0Vb8mZ1xT6yR9wLs4nGd7hJc2fUa-cookie',
        JWT_SECRET_KEY: 'Zt5Ry8Ku1Ws4Xe7Dc0Fv3Gb6Hn9Jm2Ql-token',
        ENCRYPTION_KEY,
        DATABASE_URL: `sqlite:${path}`,
        SMTP_URL: mailbox.url,
        MAIL_FROM: 'accounts@example.com',
        INSTALLATION_NAME: 'Example Accounts',
        ...env,
      },
      stdin: Readable.from([]),
      stdout: { write: (text) => stdout.push(text) },
      stderr: { write: (text) => stderr.push(text) },
      cwd: '/',
    });
    return { code, stdout: stdout.join(''), stderr: stderr.join('') };
  }

  const invite = (argv: readonly string[], env: Record<string, string | undefined> = {}) =>
    user(['invite', ...argv], env);

  it('reaches somebody by mail, who chooses a password, and then signs in with a verified address', async () => {
    const { service, mailbox } = correspondence;
    const { code, stdout } = await invite(['ada@example.org', '--username', 'ada', '--name', 'Ada', '--locale', 'de']);
    assert.equal(code, 0);
    assert.match(stdout, /^invited ada@example\.org: a letter is on its way, whose link works once, until \S+Z\n$/);
    const letter = await mailbox.next();
    assert.deepEqual([letter.to, letter.subject], [['ada@example.org'], 'Ihr Konto für Example Accounts']);
    const link = linkIn(letter, service, PATH);

    const agent = correspondence.browser();
    const form = await agent.open(link);
    assert.match(form.text, /<strong>ada<\/strong>/);
    const done = await agent.submit(form, { password: NEW_PASSWORD });
    assert.equal(done.document.querySelector('h1')?.text, 'Your account is ready');
    assert.match(done.text, /Your e-mail address is confirmed/);
    assert.equal(buttonOf(done), '/account');

    const party = await addRelyingParty(service);
    const { url, checks } = await authorizationRequest(party, { scope: 'openid email profile' });
    const callback = callbackOf(await signIn(agent, url, 'ada@example.org', NEW_PASSWORD));
    const { access_token: token } = await redeem(party, callback, checks);
    const userinfo = await fetch(`${service.origin}/userinfo`, { headers: { authorization: `Bearer ${token}` } });
    const { email, email_verified, name } = (await userinfo.json()) as Record<string, unknown>;
    assert.deepEqual({ email, email_verified, name }, { email: 'ada@example.org', email_verified: true, name: 'Ada' });

    const again = await agent.open(link);
    assert.equal(again.response.status, 400);
    assert.match(again.text, /If you have chosen a password already, sign in\. If not, ask the person who invited you/);
    assert.equal(buttonOf(again), '/account');
    assert.equal(again.document.querySelectorAll('.button').length, 1);
    assert.ok(service.log.some((line) => JSON.parse(line).event === 'invitationAccepted'));
    const [recorded] = await service.store.auditEvents.list({ event: 'administration', limit: 1 });
    const account = await service.accounts.findByUsername('ada');
    assert.deepEqual(
      [recorded?.accountId, recorded?.facts['command']?.toString().includes('invite')],
      [account?.id, true],
    );
  });

  it('is printed where there is no mail, and with --json in any case', async () => {
    const { stdout } = await invite(['bob@example.org'], { SMTP_URL: '', MAIL_FROM: '' });
    const [first, link = ''] = stdout.split('\n');
    assert.match(String(first), /^invited bob@example\.org: this link works once, until \S+Z$/);
    const agent = correspondence.browser();
    const done = await agent.submit(await agent.open(link), { password: NEW_PASSWORD });
    assert.equal(done.document.querySelector('h1')?.text, 'Your account is ready');
    assert.doesNotMatch(done.text, /confirmed/);
    assert.equal(buttonOf(done), '/account');
    // whoever passed it on knows best to whom; a letter that was not sent proves no address
    const bob = await correspondence.service.accounts.authenticate('bob@example.org', NEW_PASSWORD);
    assert.equal(bob?.claims.email_verified, undefined);

    const json = JSON.parse((await invite(['carol@example.org', '--json'])).stdout);
    assert.deepEqual((await correspondence.mailbox.next()).links[0], json.invitation_url);
    assert.deepEqual(
      [json.username, json.email, json.sent, typeof json.expires_at],
      ['carol@example.org', 'carol@example.org', true, 'number'],
    );
  });

  it('is printed with a warning when the letter cannot be sent', async () => {
    correspondence.mailbox.refuse(550, 1);
    const { code, stdout, stderr } = await invite(['dora@example.org']);
    assert.equal(code, 0);
    assert.match(stderr, /^warning: the letter could not be sent \(EMESSAGE 550\): pass the link on yourself\n$/);
    assert.equal((await correspondence.browser().open(String(stdout.split('\n')[1]))).response.status, 200);
  });

  it('can be repeated until it is accepted: the newest link opens', async () => {
    const first = JSON.parse((await invite(['emil@example.org', '--json'])).stdout);
    const second = JSON.parse((await invite(['emil@example.org', '--json'])).stdout);
    await correspondence.mailbox.next();
    await correspondence.mailbox.next();
    assert.equal(first.sub, second.sub);
    const agent = correspondence.browser();
    assert.equal((await agent.open(first.invitation_url)).response.status, 400);
    await agent.submit(await agent.open(second.invitation_url), { password: NEW_PASSWORD });
    const { code, stderr } = await invite(['emil@example.org']);
    assert.deepEqual(
      { code, stderr },
      { code: 1, stderr: 'identity: emil@example.org has an account with a password\n' },
    );
  });

  it('cannot be accepted after a week, and not by a link for something else', async () => {
    const { invitation_url: link } = JSON.parse((await invite(['fred@example.org', '--json'])).stdout);
    await correspondence.mailbox.next();
    const agent = correspondence.browser();
    assert.equal((await agent.open(link.replace(PATH, '/reset-password'))).response.status, 400);
    correspondence.pass(7 * 86_400 - 60);
    assert.equal((await agent.open(link)).response.status, 200);
    correspondence.pass(120);
    const { response, document } = await agent.open(link);
    assert.deepEqual([response.status, document.querySelector('h1')?.text], [400, 'This link does not work any more']);
    assert.match(document.text, /ask the person who invited you for a new link/);
  });

  it('has a sister for who has forgotten the password where there is no mail: a link that an operator prints', async () => {
    const { service } = correspondence;
    const off = { SMTP_URL: '', MAIL_FROM: '' };
    const account = await correspondence.addAccount({ claims: { email_verified: false } });
    const { stdout, code } = await user(['reset-link', account.username, '--json'], off);
    assert.equal(code, 0);
    const { sub, username, reset_url: link, expires_at: expiresAt } = JSON.parse(stdout);
    assert.deepEqual([sub, username, typeof expiresAt], [account.id, account.username, 'number']);
    await using without = await startService({
      ENCRYPTION_KEY,
      DATABASE_URL: `sqlite:${'path' in service.config.database ? service.config.database.path : ''}`,
    });
    const agent = createUserAgent(without.origin);
    const page = await agent.open(link.replace(service.issuer, without.origin));
    const done = await agent.submit(page, { password: NEW_PASSWORD });
    assert.equal(done.document.querySelector('h1')?.text, 'Your password is changed');
    const changed = await service.accounts.authenticate(account.username, NEW_PASSWORD);
    assert.equal(changed?.claims.email_verified, false);
    assert.equal((await agent.open(page.url)).response.status, 400);
    const line = await user(['reset-link', 'alice'], off);
    assert.match(line.stdout, /^this link for alice works once, until \S+Z\nhttp:\S+\/reset-password\/\S+\n$/);
    await service.accounts.disable(account.id);
    const refused = await user(['reset-link', account.username], off);
    assert.deepEqual([refused.code, refused.stdout], [1, '']);
  });

  const REFUSED: [string, string[], RegExp][] = [
    ['what is no address', ['nobody'], /email must be an e-mail address/],
    ['a name that is taken', ['new@example.org', '--username', 'alice'], /already taken/],
    ['a name that has an account', ['alice'], /has an account with a password/],
  ];
  for (const [what, argv, words] of REFUSED) {
    it(`is not made for ${what}`, async () => {
      const before = correspondence.mailbox.letters.length;
      const { code, stderr } = await invite(argv);
      assert.equal(code, 1);
      assert.match(stderr, words);
      assert.equal(correspondence.mailbox.letters.length, before);
    });
  }
});
