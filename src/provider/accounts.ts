// Shows accounts to the library as it wants them: an id and the claims it may choose from.
import type { Configuration } from 'oidc-provider';
import { accountClaims } from '../accounts/claims.ts';
import { passwordStateOf } from '../accounts/password-state.ts';
import type { Account } from '../store.ts';

/** `findAccount` of the library; an account that is gone or disabled is not found. */
export function createFindAccount(
  find: (id: string) => Promise<Account | undefined>,
): NonNullable<Configuration['findAccount']> {
  return async (_ctx, sub) => {
    const account = await find(sub);
    if (account === undefined || account.disabledAt !== undefined) return undefined;
    return {
      accountId: account.id,
      requiresMfa: account.requiresMfa === true,
      passwordState: passwordStateOf(account),
      claims: async () => ({ ...accountClaims(account), sub: account.id }),
    };
  };
}
