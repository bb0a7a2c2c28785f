// What follows when somebody has shown who they are, by whatever means.
import type { InteractionResults } from 'oidc-provider';
import { PASSWORD_ACR } from '../src/provider/interaction-policy.ts';
import type { Account } from '../src/store.ts';
import { factsOf, type StepRequest } from './step-requests.ts';

/** Who has been recognised, and how (`amr`: RFC 8176 §2). */
export interface Recognition {
  account: Account;
  amr: readonly string[];
}

/** The sign-in of the account: the result of the interaction. */
export async function signIn(request: StepRequest, { account, amr }: Recognition): Promise<InteractionResults> {
  request.parts.audit.loginSucceeded({ ...factsOf(request), accountId: account.id });
  return { login: { accountId: account.id, amr: [...amr], acr: PASSWORD_ACR } };
}
