// The form with which a page of an interaction offers to go on with a passkey.
import type { PasskeyForm } from '../src/http/page-contents.ts';
import type { Account } from '../src/store.ts';
import { sealedRequestOf, urlOfStep } from './interaction.ts';
import type { StepRequest } from './step-requests.ts';

/** A challenge is good in the interaction that it was shown in. */
export function passkeyPlace({ interaction }: StepRequest): string {
  return `interaction ${interaction.uid}`;
}

/** In the place of name and password; undefined where there can be no passkeys. */
export function signInForm(request: StepRequest): PasskeyForm | undefined {
  const { passkeys } = request.parts;
  return passkeys.isOffered ? formFor(request, 'passkey', passkeys.signInOptions(passkeyPlace(request))) : undefined;
}

/** As the account's second factor; undefined where it has no passkey. */
export async function secondFactorForm(request: StepRequest, accountId: string): Promise<PasskeyForm | undefined> {
  const { passkeys } = request.parts;
  if (!passkeys.isOffered) return undefined;
  const options = await passkeys.secondFactorOptions(passkeyPlace(request), accountId);
  return options.allowCredentials?.length ? formFor(request, 'second-factor/passkey', options) : undefined;
}

/** To get one, as the account's first second factor; undefined where there can be no passkeys. */
export async function enrolmentForm(request: StepRequest, account: Account): Promise<PasskeyForm | undefined> {
  const { passkeys } = request.parts;
  if (!passkeys.isOffered) return undefined;
  return formFor(request, 'authenticator/passkey', await passkeys.enrolmentOptions(account, passkeyPlace(request)));
}

/** What a page with that form must let run: a Content-Security-Policy's `script-src`. */
export function scriptsOf({ parts }: StepRequest, form: PasskeyForm | undefined): string[] {
  return form ? [parts.passkeyScript.url] : [];
}

function formFor({ ctx, parts, interaction }: StepRequest, step: string, options: object): PasskeyForm {
  return {
    action: urlOfStep(parts.issuer, interaction, sealedRequestOf(ctx), step),
    csrf: parts.tokens.issue(interaction.uid),
    options: JSON.stringify(options),
    script: new URL(parts.passkeyScript.url).pathname,
  };
}
