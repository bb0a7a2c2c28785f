// Sign-up: a stranger asks for a letter, and only who reads it gets an account; the pages never say who has one.
import type { Context } from 'koa';
import type Router from 'koa-router';
import { isClaim } from '../src/accounts/claim-values.ts';
import { loginKey } from '../src/accounts/login-keys.ts';
import type { LinkFacts } from '../src/accounts/one-time-links.ts';
import { textsFor } from '../src/http/languages.ts';
import { seeOther } from '../src/http/redirects.ts';
import type { Letter } from '../src/mail/delivery.ts';
import { Conflict } from '../src/store.ts';
import { addPasswordPage } from './choose-password.ts';
import { factsOf, formOf, type LetterParts, lettersTo, sendUnseen, showSent } from './letter-requests.ts';

const PATH = '/sign-up';
const MAX_NAME = 100;

/**
 * The password is chosen behind the link, not before it: otherwise somebody could sign up with the address of another
 * person, who by confirming it would own an account that the first one knows the password of.
 */
export function addSignUp(router: Router, parts: LetterParts): void {
  const { accounts, audit, limits, links, resumptions } = parts;

  router.get(PATH, (ctx) => ask(ctx, parts, {}));

  router.post(PATH, async (ctx) => {
    const form = await formOf(ctx, parts, PATH);
    const [email, name] = [textOf(form['email']), textOf(form['name'])];
    const words = textsFor(ctx)['sign-up'];
    const error = isClaim('email', email) ? undefined : words.invalidEmail;
    const nameError = name === '' || (isClaim('name', name) && name.length <= MAX_NAME) ? undefined : words.invalidName;
    if (error || nameError) {
      ctx.status = 400;
      return ask(ctx, parts, { email, name, error: error ?? nameError });
    }
    await limits.admit(ctx.ip);
    const signIn = resumptions.find(ctx);
    const facts = { email, ...(name && { name }), ...(signIn && { signIn }) };
    sendUnseen(ctx, parts, () => letterFor(ctx, parts, facts));
    resumptions.begin(ctx, signIn);
    seeOther(ctx, resumptions.url(`${PATH}/sent`, signIn));
  });

  router.get(`${PATH}/sent`, (ctx) => showSent(ctx, parts, 'signUpSent', PATH));

  addPasswordPage(router, parts, {
    purpose: 'SignUp',
    words: ({ signUp }) => signUp,
    outcome: 'accountReady',
    async act(ctx, { token, link: { email, name }, password }) {
      const claims = { email, email_verified: true, locale: textsFor(ctx).language, ...(name && { name }) };
      try {
        // the address is unique, so that of two at once one gets the account
        const account = await accounts.add({ username: email, password, claims });
        await links.use('SignUp', token);
        audit.signedUp(factsOf(ctx, account));
        return 'done';
      } catch (error) {
        if (error instanceof Conflict) return (await links.use('SignUp', token)) ? 'taken' : 'gone';
        throw error;
      }
    },
  });
}

function ask(
  ctx: Context,
  { pages, resumptions, tokens }: LetterParts,
  { error, ...typed }: { email?: string; name?: string; error?: string | undefined },
): void {
  const signIn = resumptions.find(ctx);
  pages.show(ctx, 'sign-up', {
    action: resumptions.url(PATH, signIn),
    csrf: tokens.issue(PATH),
    ...(signIn && { back: resumptions.page(signIn) }),
    ...(error && { error }),
    ...typed,
  });
}

/** The one with the link, or to the owner of an account the one that says so. */
async function letterFor(ctx: Context, parts: LetterParts, facts: LinkFacts): Promise<Letter | undefined> {
  const { accounts, limits, links } = parts;
  const { email } = facts;
  if (!(await limits.allows('SignUp', loginKey(email)))) return undefined;
  const account = await accounts.findByUsername(email);
  if (account?.disabledAt !== undefined) return undefined;
  // to the address that it has: one that only looks the same is somebody else's
  if (account) return lettersTo(ctx, parts, account).alreadySignedUp(account.claims.email ?? email);
  return lettersTo(ctx, parts).signUp(email, await links.create('SignUp', facts));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}
