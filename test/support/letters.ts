// A service that sends letters, and how a person in a browser follows them.
import assert from 'node:assert/strict';
import { type Mailbox, openMailbox, type ReceivedLetter } from './mailbox.ts';
import { type Service, startService } from './service.ts';
import { createUserAgent, type Page, type UserAgent } from './user-agent.ts';

/** Good enough for every rule. */
export const NEW_PASSWORD = 'orbit-lantern-mosaic-42';

export interface Correspondence extends AsyncDisposable {
  readonly service: Service;
  readonly mailbox: Mailbox;
  /** moves the clock of the service on, by seconds */
  pass(seconds: number): void;
  /** An account with a verified address; its username is a new one unless given. */
  addAccount(account?: {
    username?: string;
    password?: string;
    claims?: Record<string, unknown>;
  }): Promise<{ id: string; username: string; email: string }>;
  browser(): UserAgent;
}

let accounts = 0;

/** @param env on top of a mail server on loopback */
export async function startCorrespondence(env: Record<string, string | undefined> = {}): Promise<Correspondence> {
  await using opening = new AsyncDisposableStack();
  const mailbox = opening.use(await openMailbox());
  let shift = 0;
  const clock = () => Math.floor(Date.now() / 1000) + shift;
  const mail = { SMTP_URL: mailbox.url, MAIL_FROM: 'Example Accounts <accounts@example.com>' };
  const service = opening.use(
    await startService({ ...mail, INSTALLATION_NAME: 'Example Accounts', ...env }, { clock }),
  );
  const opened = opening.move();
  return {
    service,
    mailbox,
    pass(seconds) {
      shift += seconds;
    },
    async addAccount({ username, password, claims = {} } = {}) {
      accounts += 1;
      const name = username ?? `reader-${accounts}`;
      const email = `${name}@example.org`;
      const account = await service.accounts.add({
        username: name,
        ...(password && { password }),
        claims: { email, email_verified: true, ...claims },
      });
      return { id: account.id, username: name, email };
    },
    browser: () => createUserAgent(service.origin),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** The only link of a letter, at the issuer and below this path. */
export function linkIn(letter: ReceivedLetter, service: Service, path: string): string {
  const [link = '', ...others] = letter.links.filter((one) => one !== service.issuer);
  assert.deepEqual(others, []);
  assert.ok(link.startsWith(`${service.issuer}${path}/`), link);
  return link;
}

/** Asks for a letter on the page at `path`; the page after it. */
export async function askFor(agent: UserAgent, url: string, values: Record<string, string>): Promise<Page> {
  const form = await agent.open(url);
  assert.equal(form.response.status, 200, form.text);
  return agent.submit(form, values);
}

/** Where the button of an outcome leads. */
export function buttonOf({ document, text }: Page): string {
  const href = document.querySelector('#next')?.getAttribute('href');
  assert.ok(href, text);
  return href;
}
