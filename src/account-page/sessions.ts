// The page of where somebody is signed in, and how to sign out there.
import { describeBrowser } from '../accounts/browsers.ts';
import type { AccountSession, AccountSessions } from '../provider/account-sessions.ts';
import type { ClientNames } from './client-names.ts';
import type { AccountPageParts, AccountRequest, AccountSection } from './section.ts';

export interface SessionParts extends Pick<AccountPageParts, 'audit'> {
  sessions: AccountSessions;
  namesOf: ClientNames;
}

const PAGE = '/sessions';

export function sessions({ sessions, namesOf, audit }: SessionParts): AccountSection {
  return ({ entry, get, post }) => {
    entry(PAGE, ({ accountFrame }) => accountFrame.links.sessions);
    get(PAGE, show);

    post(`${PAGE}/end`, async (request) => {
      const { account, form } = request;
      const uid = form['session'];
      if (typeof uid !== 'string' || !(await sessions.end(account.id, uid))) return request.finish(PAGE, 'sessionGone');
      audit.sessionEnded(request.facts());
      request.finish(PAGE, 'sessionEnded');
    });

    post(`${PAGE}/end-others`, async (request) => {
      const { account, sessionUid } = request;
      const count = await sessions.endAll(account.id, { except: sessionUid });
      audit.otherSessionsEnded({ ...request.facts(), count });
      request.finish(PAGE, 'othersEnded');
    });
  };

  async function show(request: AccountRequest): Promise<void> {
    const { account, csrf, pathOf, sessionUid } = request;
    const all = await sessions.list(account.id);
    const here = all.filter(({ uid }) => uid === sessionUid);
    const others = all.filter(({ uid }) => uid !== sessionUid);
    request.show('account-sessions', {
      sessions: await Promise.all([...here, ...others].map((session) => present(request, session))),
      end: pathOf(`${PAGE}/end`),
      endOthers: pathOf(`${PAGE}/end-others`),
      csrf,
    });
  }

  async function present({ moment, sessionUid, texts }: AccountRequest, session: AccountSession) {
    const { uid, device, signedInAt, usedAt, clientIds } = session;
    return {
      id: uid,
      isHere: uid === sessionUid,
      browser: describeBrowser(device?.agent, texts['account-sessions']),
      ...(device && { address: device.ip }),
      signedIn: moment(signedInAt),
      used: moment(usedAt),
      clients: await namesOf(clientIds),
    };
  }
}
