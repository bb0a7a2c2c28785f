// `identity user invite` and `reset-link`: accounts whose owners choose the password, by a link.
import type { Command } from 'commander';
import type { AccountDirectory } from '../accounts/directory.ts';
import { createOneTimeLinks, linkLifetimes } from '../accounts/one-time-links.ts';
import { languages } from '../http/languages.ts';
import { createSmtpDelivery, DeliveryFailed } from '../mail/delivery.ts';
import { createLetters, linkUrl, textsOfLocale } from '../mail/letters.ts';
import type { Account } from '../store.ts';
import { Failure, instant, type JsonOption, report, type Terminal, warn, withJson } from './terminal.ts';
import { loadConfig, openWorkspace, type Workspace } from './workspace.ts';

interface InviteOptions extends JsonOption {
  username?: string;
  name?: string;
  locale?: string;
}

/** Both work beside a running server, and without one. @param getAccount the account of that name, or a failure */
export function addLinkCommands(
  user: Command,
  terminal: Terminal,
  getAccount: (accounts: AccountDirectory, name: string) => Promise<Account>,
): void {
  async function invite(email: string, options: InviteOptions): Promise<void> {
    const config = loadConfig(terminal);
    await using workspace = await openWorkspace(terminal);
    const { store, accounts, clock } = workspace;
    const account = await getInvited(workspace, email, options);
    const links = createOneTimeLinks({ artifacts: store.artifacts, findAccount: accounts.find });
    const facts = { accountId: account.id, email };
    let token = await links.create('Invitation', config.mail ? facts : { ...facts, handedOver: true });
    const letters = createLetters({ installation: config.installation.name, issuer: config.issuer, clock });
    const letter = letters(textsOfLocale(account.claims.locale) ?? languages[0]).invitation(email, token);
    const failure = config.mail && (await createSmtpDelivery(config.mail)(letter).then(() => undefined, reasonOf));
    if (failure) {
      warn(terminal, `the letter could not be sent (${failure}): pass the link on yourself`);
      token = await links.create('Invitation', { ...facts, handedOver: true });
    }
    const sent = config.mail !== undefined && failure === undefined;
    const url = linkUrl(config.issuer, 'Invitation', token);
    const expiresAt = clock() + linkLifetimes.Invitation;

    const result = {
      sub: account.id,
      username: account.username,
      email,
      invitation_url: url,
      expires_at: expiresAt,
      sent,
    };
    const until = `works once, until ${instant(expiresAt)}`;
    report(terminal, options, result, [
      sent ? `invited ${email}: a letter is on its way, whose link ${until}` : `invited ${email}: this link ${until}`,
      ...(sent ? [] : [url]),
    ]);
  }

  async function resetLink(name: string, options: JsonOption): Promise<void> {
    const { issuer } = loadConfig(terminal);
    await using workspace = await openWorkspace(terminal);
    const { store, accounts, clock } = workspace;
    const { id, username, claims, disabledAt } = await getAccount(accounts, name);
    if (disabledAt !== undefined) throw new Failure(`the account of ${username} is disabled`);
    const links = createOneTimeLinks({ artifacts: store.artifacts, findAccount: accounts.find });
    const token = await links.create('PasswordReset', { accountId: id, email: claims.email ?? '', handedOver: true });
    const url = linkUrl(issuer, 'PasswordReset', token);
    const expiresAt = clock() + linkLifetimes.PasswordReset;
    report(terminal, options, { sub: id, username, reset_url: url, expires_at: expiresAt }, [
      `this link for ${username} works once, until ${instant(expiresAt)}`,
      url,
    ]);
  }

  withJson(user.command('invite <email>'))
    .description('add an account and send its owner a link to choose the password; without mail, print the link')
    .option('--username <name>', 'username; the address unless given')
    .option('--name <name>', 'full name')
    .option('--locale <tag>', 'language of the letters, such as de')
    .action(invite);
  withJson(user.command('reset-link <user>'))
    .description('print a link with which its owner chooses a new password, for you to pass on')
    .action(resetLink);
}

/** The account of that address, if it waits for its first password, else a new one. */
async function getInvited({ accounts }: Workspace, email: string, options: InviteOptions): Promise<Account> {
  const known = await accounts.findByUsername(email);
  if (known?.passwordHash !== undefined) throw new Failure(`${email} has an account with a password`);
  if (known && known.claims.email !== email) throw new Failure(`${email} is not the e-mail address of that account`);
  if (known?.disabledAt !== undefined) throw new Failure(`the account of ${email} is disabled`);
  const { username = email, name, locale } = options;
  return known ?? accounts.add({ username, claims: { email, ...(name && { name }), ...(locale && { locale }) } });
}

function reasonOf(error: unknown): string {
  if (error instanceof DeliveryFailed) return error.message;
  throw error;
}
