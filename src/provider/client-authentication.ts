// Takes over what the library's client authentication decides otherwise: secrets, methods, and assertions of others.
import { type Client, Provider } from 'oidc-provider';
import type { SecretMethod } from '../clients/authentication.ts';
import type { Vouchers } from './vouchers.ts';

export interface ClientAuthentication {
  /** whether this is a live secret of the client, sent as it is registered to: constant in time, never by padding */
  matchesClientSecret(clientId: string, presented: string, method: SecretMethod): Promise<boolean>;
  vouchers: Vouchers;
}

/**
 * The library pads both secrets with zeros before comparing them, so that one with a NUL behind it matches too, and it
 * takes a secret from the header and from the form alike. A client that we vouch for is, to the library, one that has
 * sent its secret.
 * https://github.com/panva/node-oidc-provider/blob/v9.13.3/lib/shared/client_auth.js
 */
export function authenticateClientsOurselves(
  { Client: { prototype } }: Provider,
  { matchesClientSecret, vouchers }: ClientAuthentication,
): void {
  const isVouchedFor = ({ clientId }: Client) => {
    const request = Provider.ctx?.req;
    return request !== undefined && vouchers.isVouchedFor(request, clientId);
  };
  prototype.compareClientSecret = async function compareClientSecret(this: Client, presented: string) {
    if (isVouchedFor(this)) return true;
    const inForm = Boolean(Provider.ctx?.oidc.params?.['client_secret']);
    return matchesClientSecret(this.clientId, presented, inForm ? 'client_secret_post' : 'client_secret_basic');
  };
  const registered = Object.getOwnPropertyDescriptor(prototype, 'clientAuthMethod')?.get;
  Object.defineProperty(prototype, 'clientAuthMethod', {
    configurable: true,
    get(this: Client) {
      return isVouchedFor(this) ? 'client_secret_basic' : registered?.call(this);
    },
  });
}
