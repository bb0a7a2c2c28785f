// The page of the applications that have access to an account.
import { ACCOUNT_PAGE_CLIENT } from '../clients/account-page.ts';
import type { AccessOfClient, AccountGrants } from '../provider/account-grants.ts';
import { audienceOf } from '../resource-servers/identifiers.ts';
import type { ClientNames } from './client-names.ts';
import type { AccountPageParts, AccountRequest, AccountSection } from './section.ts';

export interface ApplicationParts extends Pick<AccountPageParts, 'audit'> {
  grants: AccountGrants;
  namesOf: ClientNames;
}

const PAGE = '/applications';

export function applications({ grants, namesOf, audit }: ApplicationParts): AccountSection {
  return ({ entry, get, post }) => {
    entry(PAGE, ({ accountFrame }) => accountFrame.links.applications);
    get(PAGE, show);

    post(`${PAGE}/revoke`, async (request) => {
      const { account, form } = request;
      const clientId = form['client'];
      const isTheirs = typeof clientId === 'string' && clientId !== ACCOUNT_PAGE_CLIENT;
      if (!isTheirs || !(await grants.revoke(account.id, clientId))) return request.finish(PAGE, 'accessGone');
      audit.accessEnded({ ...request.facts(), clientId });
      request.finish(PAGE, 'accessEnded');
    });
  };

  async function show(request: AccountRequest): Promise<void> {
    const all = await grants.list(request.account.id);
    const others = all.filter(({ clientId }) => clientId !== ACCOUNT_PAGE_CLIENT);
    request.show('account-applications', {
      applications: await Promise.all(others.map((access) => present(request, access))),
      revoke: request.pathOf(`${PAGE}/revoke`),
      csrf: request.csrf,
    });
  }

  async function present({ moment, texts }: AccountRequest, { clientId, scopes, resources, since }: AccessOfClient) {
    const words: Readonly<Record<string, string>> = texts.consent.scopes;
    const named = scopes.filter((scope) => scope !== 'offline_access');
    const [name = clientId] = await namesOf([clientId]);
    return {
      clientId,
      name,
      since: moment(since),
      access: [
        ...named.map((scope) => (Object.hasOwn(words, scope) ? String(words[scope]) : texts.consent.otherScope(scope))),
        ...resources.map((resource) => texts.consent.otherScope(audienceOf(resource))),
      ],
      isOffline: scopes.includes('offline_access'),
    };
  }
}
