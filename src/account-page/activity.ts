// The page of what has happened in an account lately, from the audit trail.
import type { AuditEvent, AuditEvents } from '../store.ts';
import type { ClientNames } from './client-names.ts';
import type { AccountRequest, AccountSection } from './section.ts';

export interface ActivityParts {
  events: Pick<AuditEvents, 'list'>;
  namesOf: ClientNames;
}

const PAGE = '/activity';
const SHOWN = 50;

export function activity({ events, namesOf }: ActivityParts): AccountSection {
  return ({ entry, get }) => {
    entry(PAGE, ({ accountFrame }) => accountFrame.links.activity);
    get(PAGE, show);
  };

  async function show(request: AccountRequest): Promise<void> {
    const words: Readonly<Record<string, string>> = request.texts['account-activity'].events;
    // not all of them: tokens are issued all the time, and no news to anybody
    const shown = await events.list({ accountId: request.account.id, event: Object.keys(words), limit: SHOWN });
    request.show('account-activity', {
      events: await Promise.all(shown.reverse().map((event) => present(request, event, String(words[event.event])))),
    });
  }

  async function present({ moment }: AccountRequest, { at, clientId, facts }: AuditEvent, text: string) {
    const [client] = clientId === undefined ? [] : await namesOf([clientId]);
    const { ip } = facts;
    return { text, at: moment(at), ...(client && { client }), ...(typeof ip === 'string' && { address: ip }) };
  }
}
