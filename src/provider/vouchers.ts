// Tells the library that a request's client is authenticated already, by an assertion that only we can verify.
import type { IncomingMessage } from 'node:http';

/** Which client each request that is being answered was authenticated as, before it reached the library. */
export interface Vouchers {
  vouch(request: IncomingMessage, clientId: string): void;
  isVouchedFor(request: IncomingMessage, clientId: string): boolean;
}

export function createVouchers(): Vouchers {
  const clients = new WeakMap<IncomingMessage, string>();
  return {
    vouch: (request, clientId) => void clients.set(request, clientId),
    isVouchedFor: (request, clientId) => clients.get(request) === clientId,
  };
}
