// The consent step: what a third-party client asks to see and do.
import type { Interaction } from 'oidc-provider';
import { addToGrant, type ConsentRequest } from '../src/provider/grants.ts';
import { audienceOf } from '../src/resource-servers/identifiers.ts';
import { presentClient, sealedRequestOf, urlsOf } from './interaction.ts';
import { factsOf, type InteractionStep } from './step-requests.ts';

/** What a scope lets the client do, in words that follow "It will be able to". */
const DESCRIPTIONS: Record<string, string> = {
  openid: 'know that it is you',
  profile: 'see your name, picture and other profile details',
  email: 'see your e-mail address',
  address: 'see your postal address',
  phone: 'see your telephone number',
};

export const consent: InteractionStep = {
  async show({ ctx, parts, interaction, client }) {
    const { scopes, claims, resources } = requestOf(interaction);
    const account = await parts.accounts.find(String(interaction.session?.accountId));
    const { action, cancel, redirectUri } = urlsOf(parts.issuer, interaction, sealedRequestOf(ctx));
    const presented = presentClient(client);
    parts.pages.show(
      ctx,
      'consent',
      {
        action,
        cancel,
        csrf: parts.tokens.issue(interaction.uid),
        client: presented,
        account: { username: account?.username ?? '' },
        scopes: scopes
          .filter((name) => name !== 'offline_access')
          .map((name) => ({ name, description: DESCRIPTIONS[name] ?? `use ${name}` })),
        claims,
        resources: Object.entries(resources).map(([resource, names]) => ({
          audience: audienceOf(resource),
          scopes: names,
        })),
        offlineAccess: scopes.includes('offline_access'),
      },
      { formAction: redirectUri, imgSrc: presented.logoUri ? [presented.logoUri] : [] },
    );
  },

  async submit(request) {
    const { parts, interaction, client } = request;
    const { Grant } = parts.provider();
    const accountId = String(interaction.session?.accountId);
    const known = interaction.grantId ? await Grant.find(interaction.grantId) : undefined;
    const grant = known ?? new Grant({ accountId, clientId: client.clientId });
    addToGrant(grant, requestOf(interaction));
    const grantId = await grant.save();
    parts.audit.consentGranted({ ...factsOf(request), accountId });
    return { consent: { grantId } };
  },
};

function requestOf({ prompt }: Interaction): ConsentRequest {
  return prompt.details['request'] as ConsentRequest;
}
