// The page of the accounts elsewhere that somebody signs in with: linking and unlinking them.
import { seeOther } from '../http/redirects.ts';
import type { Account, LinkedIdentities } from '../store.ts';
import { type Upstream, UpstreamFailed, type UpstreamIdentity, UpstreamRefused } from '../upstream/upstream.ts';
import type { UpstreamParts } from '../upstream/upstreams.ts';
import type { AccountPageParts, AccountRequest, AccountSection } from './section.ts';

export interface IdentityParts extends Pick<AccountPageParts, 'audit' | 'notices'> {
  issuer: string;
  upstreams: UpstreamParts;
  linkedIdentities: LinkedIdentities;
  /** whether its owner could still sign in without any identity elsewhere */
  hasOwnFactor(account: Account): Promise<boolean>;
}

const PAGE = '/identities';

export function identities(parts: IdentityParts): AccountSection {
  const { upstreams, linkedIdentities, audit, notices } = parts;
  const { byId, pending } = upstreams;
  const redirectUriOf = ({ id }: Upstream) => `${parts.issuer}/upstream/${id}/callback`;

  async function show(request: AccountRequest, error?: string): Promise<void> {
    const linked = await linkedIdentities.listOf(request.account.id);
    request.show(
      'account-identities',
      {
        linked: linked.map(({ upstream, subject, label, createdAt }) => ({
          upstream,
          subject,
          name: byId.get(upstream)?.label ?? upstream,
          label,
          since: request.moment(createdAt),
        })),
        others: [...byId.values()].map(({ id, label }) => ({
          id,
          label,
          action: request.pathOf(`${PAGE}/${id}/connect`),
        })),
        action: request.pathOf(`${PAGE}/remove`),
        csrf: request.csrf,
        ...(error !== undefined && { error }),
      },
      { formAction: [...byId.values()].map(({ origin }) => origin) },
    );
  }

  async function sayAgain(request: AccountRequest, error: string): Promise<void> {
    request.ctx.status = 400;
    await show(request, error);
  }

  /** Answers the page when the provider says no, or nothing that can be used. */
  async function attempt<T>(
    request: AccountRequest,
    { label }: Upstream,
    act: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof UpstreamRefused || error instanceof UpstreamFailed)) throw error;
      const { upstream: texts } = request.texts;
      await sayAgain(request, error instanceof UpstreamRefused ? texts.refused(label) : texts.failed(label));
      return undefined;
    }
  }

  function tell(
    { account, texts }: AccountRequest,
    what: 'identityLinked' | 'identityUnlinked',
    upstream: string,
  ): void {
    notices.signInChanged(account, texts, { what, elsewhere: byId.get(upstream)?.label ?? upstream });
  }

  /** Whether there is any way left to sign in to the account. */
  async function isOpen(account: Account): Promise<boolean> {
    return (await parts.hasOwnFactor(account)) || (await linkedIdentities.listOf(account.id)).length > 0;
  }

  async function link(request: AccountRequest, upstream: Upstream, identity: UpstreamIdentity): Promise<void> {
    if (!(await upstreams.accounts.link(request.account.id, upstream.id, identity))) {
      return sayAgain(request, request.texts['account-identities'].taken(upstream.label, identity.label));
    }
    audit.identityLinked({ ...request.facts(), reason: upstream.id });
    tell(request, 'identityLinked', upstream.id);
    request.finish(PAGE, 'identityLinked');
  }

  return ({ entry, get, post }) => {
    entry(PAGE, ({ accountFrame }) => accountFrame.links.identities);

    get(PAGE, (request) => show(request));

    post(
      `${PAGE}/:id/connect`,
      async (request) => {
        const { ctx, account, sessionUid } = request;
        const upstream = byId.get(ctx['params'].id) ?? ctx.throw(404);
        const { checks } = await pending.begin(upstream.id, { accountId: account.id, sessionUid });
        const location = await attempt(request, upstream, () => upstream.begin(redirectUriOf(upstream), checks));
        if (location) seeOther(ctx, location.href);
      },
      { fresh: true },
    );

    get(`${PAGE}/:id/callback`, async (request) => {
      const { ctx, account, sessionUid, texts } = request;
      const upstream = byId.get(ctx['params'].id) ?? ctx.throw(404);
      const taken = await pending.take(ctx.query['state']);
      const purpose = taken?.upstream === upstream.id ? taken.purpose : undefined;
      if (!taken || !purpose || !('accountId' in purpose)) return sayAgain(request, texts.upstream.lost);
      if (purpose.accountId !== account.id || purpose.sessionUid !== sessionUid) {
        return sayAgain(request, texts.upstream.lost);
      }
      const callback = new URL(`${redirectUriOf(upstream)}?${ctx.querystring}`);
      const identity = await attempt(request, upstream, () => upstream.complete(callback, taken.checks));
      if (identity) await link(request, upstream, identity);
    });

    post(
      `${PAGE}/remove`,
      async (request) => {
        const { account, form, texts } = request;
        const [upstream, subject] = [String(form['upstream']), String(form['subject'])];
        const linked = await linkedIdentities.listOf(account.id);
        if (linked.length < 2 && !(await parts.hasOwnFactor(account))) {
          return sayAgain(request, texts['account-identities'].last);
        }
        if (await linkedIdentities.remove(account.id, upstream, subject)) {
          const removed = linked.find((one) => one.upstream === upstream && one.subject === subject);
          // of two that are removed at once, each was the other's reason to go
          if (removed && !(await isOpen(account))) {
            await linkedIdentities.insert(removed);
            return sayAgain(request, texts['account-identities'].last);
          }
          audit.identityUnlinked({ ...request.facts(), reason: upstream });
          tell(request, 'identityUnlinked', upstream);
        }
        request.finish(PAGE, 'identityUnlinked');
      },
      { fresh: true },
    );
  };
}
