// Finds the interaction that a page belongs to, and says where its pages are.
import type { Context } from 'koa';
import { type Client, errors, type Interaction, type Provider } from 'oidc-provider';
import { issuerPath } from '../src/http/issuer-path.ts';
import { SEALED_REQUEST } from '../src/provider/sealed-requests.ts';

/** An interaction whose cookie the browser holds, with the client that began it. */
export interface OngoingInteraction {
  interaction: Interaction;
  client: Client;
}

/**
 * The interaction of this URL. The cookie of another interaction, or none, is not enough: a link that somebody sent
 * opens nothing (security requirement R37).
 * @throws errors.SessionNotFound when it has ended, expired, or belongs to another browser
 */
export async function getInteraction(provider: Provider, ctx: Context): Promise<OngoingInteraction> {
  const interaction = await provider.interactionDetails(ctx.req, ctx.res);
  if (interaction.uid !== ctx['params']['uid']) throw new errors.SessionNotFound('interaction and cookie mismatch');
  const client = await provider.Client.find(String(interaction.params['client_id']));
  if (client === undefined) throw new errors.SessionNotFound('the client of this interaction is gone');
  return { interaction, client };
}

/** Where the forms of an interaction go, with what lets it begin again, and where answering them may lead. */
export function urlsOf(issuer: string, { uid, params }: Interaction, sealedRequest: string | undefined) {
  const redirectUri = params['redirect_uri'];
  return {
    action: urlOfStep(issuer, { uid }, sealedRequest, ''),
    cancel: urlOfStep(issuer, { uid }, sealedRequest, 'cancel'),
    redirectUri: typeof redirectUri === 'string' ? [redirectUri] : [],
  };
}

/** The rooted path of a page of an interaction; the empty text names its first one. */
export function urlOfStep(
  issuer: string,
  { uid }: Pick<Interaction, 'uid'>,
  sealedRequest: string | undefined,
  step: string,
): string {
  const page = `${issuerPath(issuer)}/login/${uid}${step && `/${step}`}`;
  return sealedRequest === undefined ? page : `${page}?${SEALED_REQUEST}=${encodeURIComponent(sealedRequest)}`;
}

/** The request of this interaction as it travels in the URL; whether it opens is found out when it is needed. */
export function sealedRequestOf(ctx: Context): string | undefined {
  const sealed = ctx.query[SEALED_REQUEST];
  return typeof sealed === 'string' ? sealed : undefined;
}

/** What pages show of a client (RFC 7591 §2). */
export function presentClient(client: Client) {
  return {
    name: client.clientName ?? client.clientId,
    ...(client.logoUri ? { logoUri: client.logoUri } : {}),
    ...(client.policyUri ? { policyUri: client.policyUri } : {}),
    ...(client.tosUri ? { tosUri: client.tosUri } : {}),
    ...(client.clientUri ? { clientUri: client.clientUri } : {}),
  };
}
