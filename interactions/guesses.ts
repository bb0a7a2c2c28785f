// What an attempt at a secret looks like to those who count them: whose secret, from which address and browser.
import type { Guess, GuessedSecret } from '../src/accounts/guesses.ts';
import { loginKey } from '../src/accounts/login-keys.ts';
import type { Account } from '../src/store.ts';
import type { InteractionParts, StepRequest } from './step-requests.ts';

type Guessing = { ctx: StepRequest['ctx']; parts: Pick<InteractionParts, 'knownDevices'> };

/** An attempt at a secret of this account. */
export function guessAt({ ctx, parts }: Guessing, secret: GuessedSecret, account: Account): Guess {
  return {
    secret,
    whose: { accountId: account.id },
    address: ctx.ip,
    device: parts.knownDevices.recall(ctx, account),
  };
}

/**
 * An attempt at the password of whoever is called `login`, the account if there is one. All spellings of all names of an
 * account are counted as one; names of nobody are counted alike, so that neither cost nor answer tells them apart
 * (security.md R48, R50).
 */
export function guessPassword(request: StepRequest, login: string, account: Account | undefined): Guess {
  return account
    ? guessAt(request, 'password', account)
    : { secret: 'password', whose: { loginKey: loginKey(login) }, address: request.ctx.ip };
}
