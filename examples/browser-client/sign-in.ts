// The ways in and out: /login, /callback and /logout.
import { randomUUID } from 'node:crypto';
import type { Context } from 'koa';
import { readOwnForm, seeOther } from './forms.ts';
import { staleSignIn } from './problem.ts';
import type { RelyingParty } from './relying-party.ts';
import type { Sessions } from './sessions.ts';

const maxPendingSignIns = 5;

/** `GET /login`: sends the browser to the provider. */
export async function startSignIn(ctx: Context, sessions: Sessions, relyingParty: RelyingParty): Promise<void> {
  const { url, state, pending } = await relyingParty.startSignIn();
  const { pendingSignIns } = sessions.find(ctx) ?? sessions.renew(ctx);
  const [oldest] = pendingSignIns.keys();
  if (oldest !== undefined && pendingSignIns.size >= maxPendingSignIns) pendingSignIns.delete(oldest);
  pendingSignIns.set(state, pending);
  ctx.redirect(url.href);
}

/** `GET /callback`: the browser is back with a code or an error. Each `state` counts once. */
export async function finishSignIn(ctx: Context, sessions: Sessions, relyingParty: RelyingParty): Promise<void> {
  const pendingSignIns = sessions.find(ctx)?.pendingSignIns;
  const state = String(ctx.query.state);
  const pending = pendingSignIns?.get(state);
  if (pending === undefined) throw staleSignIn();
  pendingSignIns?.delete(state);
  const signIn = await relyingParty.finishSignIn(ctx.search, state, pending);
  sessions.renew(ctx).signIn = signIn;
  ctx.redirect('/');
}

/** `POST /logout`: out of this client first, so that its tokens are gone whatever happens at the provider. */
export async function startSignOut(ctx: Context, sessions: Sessions, relyingParty: RelyingParty): Promise<void> {
  const { session } = await readOwnForm(ctx, sessions);
  const signedOut = sessions.renew(ctx);
  if (session.signIn === undefined) return seeOther(ctx, '/');
  signedOut.signOutState = randomUUID();
  const url = await relyingParty.signOutUrl(session.signIn.idToken, signedOut.signOutState);
  seeOther(ctx, url.href);
}
