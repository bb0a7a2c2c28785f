// What clients are called, where people see them.
import { ACCOUNT_PAGE_CLIENT } from '../clients/account-page.ts';
import type { ClientRegistry } from '../clients/registration.ts';

/** The names of these clients, in order; the account page, where people are when they read it, is left out. */
export type ClientNames = (clientIds: readonly string[]) => Promise<string[]>;

export function createClientNames(find: ClientRegistry['find']): ClientNames {
  return async (clientIds) => {
    const others = clientIds.filter((clientId) => clientId !== ACCOUNT_PAGE_CLIENT);
    return (await Promise.all(others.map(nameOf))).sort();
  };

  async function nameOf(clientId: string): Promise<string> {
    const name = (await find(clientId))?.metadata['client_name'];
    return typeof name === 'string' ? name : clientId;
  }
}
