// The consent step: what a third-party client asks to see and do.
import type { Interaction } from 'oidc-provider';
import { addToGrant, type ConsentRequest } from '../src/provider/grants.ts';
import { audienceOf } from '../src/resource-servers/identifiers.ts';
import { presentClient, sealedRequestOf, urlsOf } from './interaction.ts';
import { factsOf, type InteractionStep } from './step-requests.ts';

export const consent: InteractionStep = {
  async show({ ctx, parts, interaction, client, texts }) {
    const words = texts.consent;
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
          .map((name) => ({ name, description: wordFor(words.scopes, name) ?? words.otherScope(name) })),
        claims: claims.map((name) => wordFor(words.claimNames, name) ?? name.replaceAll('_', ' ')),
        resources: Object.entries(resources).map(([resource, names]) => ({
          audience: audienceOf(resource),
          scopes: names,
        })),
        offlineAccess: scopes.includes('offline_access'),
      },
      { formAction: redirectUri, imgSrc: presented.logoUri ? [presented.logoUri] : [], texts },
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

/** Clients make names up, `constructor` among them. */
function wordFor(words: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(words, name) ? words[name] : undefined;
}
