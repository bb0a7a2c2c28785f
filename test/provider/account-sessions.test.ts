// Where an account is signed in: how all of it ends at once, whatever happens meanwhile.
import assert from 'node:assert/strict';
import { createAccountSessions } from '../../src/provider/account-sessions.ts';
import { openTemporaryStore, type TemporaryStore } from '../accounts/temporary-store.ts';

describe('the sessions of an account', () => {
  let temporary: TemporaryStore;
  beforeEach(async () => {
    temporary = await openTemporaryStore();
  });
  afterEach(() => temporary[Symbol.asyncDispose]());

  it('end all at once, and with them the one that a sign-in under way becomes at that moment', async () => {
    const { artifacts } = temporary.store;
    const accountId = 'somebody';
    const interaction = { jti: 'interaction', accountId };
    await artifacts.apply([
      { do: 'upsert', model: 'Interaction', id: 'interaction', payload: interaction, expiresIn: 60 },
    ]);
    let resumed = false;
    const sessions = createAccountSessions({
      artifacts: {
        ...artifacts,
        async apply(writes) {
          if (!resumed) {
            resumed = true;
            const payload = { jti: 'session', uid: 'uid', accountId, authorizations: {} };
            await artifacts.apply([
              { do: 'destroy', model: 'Interaction', id: 'interaction' },
              { do: 'upsert', model: 'Session', id: 'session', payload, expiresIn: 60 },
            ]);
          }
          await artifacts.apply(writes);
        },
      },
    });
    assert.equal(await sessions.endAll(accountId), 1);
    assert.deepEqual(await sessions.list(accountId), []);
  });
});
