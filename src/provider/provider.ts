// The provider itself: the library, built from our configuration and held to the issuer.
import { errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { languageAskedFor } from '../http/languages.ts';
import type { ClientRecord } from '../store.ts';
import { authenticateClientsOurselves, type ClientAuthentication } from './client-authentication.ts';
import { createConfiguration, type ProviderConfiguration } from './configuration.ts';
import { refuseUnregisteredGrants } from './grant-types.ts';
import { answerEssentialAcr } from './interaction-policy.ts';
import { type Replays, rememberReplaysOurselves } from './replays.ts';
import { endOutdatedSignIns, nameSignedInAccounts, rememberSessions } from './sessions.ts';

export interface ProviderOptions extends ProviderConfiguration {
  clientAuthentication: ClientAuthentication;
  replays: Replays;
}

export type { ClientRecord };

/** A new provider. The library keeps state per instance, so a change of keys means building another. */
export function createProvider(options: ProviderOptions): Provider {
  const provider = new Provider(options.issuer, createConfiguration(options));
  pinUrls(provider);
  keepLanguageOfLogouts(provider);
  authenticateClientsOurselves(provider, options.clientAuthentication);
  rememberReplaysOurselves(provider, options.replays);
  refuseUnregisteredGrants(provider);
  resumeInteractionsOnce(provider);
  answerEssentialAcr(provider);
  rememberSessions(provider, options.sessionLifetimes, options.clock);
  nameSignedInAccounts(provider);
  endOutdatedSignIns(provider, options.findAccount);
  // headers are rewritten by the request gate before they reach the library
  provider.proxy = true;
  return provider;
}

/**
 * The library builds the URLs of one request from that request's `Host` and mount path; ours always start with the
 * issuer, whatever a proxy or a caller says.
 * https://github.com/panva/node-oidc-provider/blob/v9.13.3/lib/helpers/oidc_context.js
 */
function pinUrls(provider: Provider): void {
  provider.OIDCContext.prototype.urlFor = (name, opt) => provider.urlFor(name, opt);
}

/**
 * Of a logout, only the first request says `ui_locales` (OpenID Connect RP-Initiated Logout §2); the library takes it
 * neither to the confirmation nor to the page after it.
 * https://github.com/panva/node-oidc-provider/blob/v9.13.3/lib/actions/end_session.js
 */
function keepLanguageOfLogouts(provider: Provider): void {
  const context = provider.OIDCContext.prototype;
  const { urlFor } = context;
  context.urlFor = function urlInLanguage(this: typeof context & { ctx: KoaContextWithOIDC }, name, opt) {
    const url = urlFor.call(this, name, opt);
    if (name !== 'end_session_confirm' && name !== 'end_session_success') return url;
    const language = languageAskedFor(this.ctx, this.params?.['ui_locales']);
    return language === undefined ? url : `${url}?ui_locales=${language}`;
  };
}

/**
 * The library resumes an authorization request by reading the interaction and then destroying it, so that two
 * resumptions at the same moment would both get a code. Consuming it first lets one of them through.
 * https://github.com/panva/node-oidc-provider/blob/v9.13.3/lib/actions/authorization/resume.js
 */
function resumeInteractionsOnce({ Interaction }: Provider): void {
  const { destroy } = Interaction.prototype;
  Interaction.prototype.destroy = async function consumeAndDestroy() {
    await Interaction.adapter.consume(this.uid).catch((error: unknown) => {
      throw error instanceof errors.InvalidGrant
        ? Object.assign(new errors.SessionNotFound('the interaction was resumed before'), { cause: error })
        : error;
    });
    return destroy.call(this);
  };
}
