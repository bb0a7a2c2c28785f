// Turns what the store throws into what OAuth says.
import { errors } from 'oidc-provider';
import { AlreadyConsumed, CLIENT_ASSERTION, DPOP_PROOF, GrantRevoked, StoreUnavailable } from '../store.ts';

/**
 * A lost race is what its loser would have been told a moment later; a code, a refresh token or a revoked grant is
 * `invalid_grant` (RFC 6749 §5.2). A database outage is 503 and `temporarily_unavailable`, because the library would make
 * a bare 500 of it. Everything else stays a bug.
 */
export function translateStorageError(error: unknown): unknown {
  if (error instanceof AlreadyConsumed) return lostRace(error);
  if (error instanceof GrantRevoked) return new errors.InvalidGrant({ cause: error });
  if (error instanceof StoreUnavailable) return new TemporarilyUnavailable(error);
  return error;
}

function lostRace(error: AlreadyConsumed): errors.OIDCProviderError {
  switch (error.model) {
    case CLIENT_ASSERTION:
      return new errors.InvalidClientAuth({ cause: error });
    case DPOP_PROOF:
      return new errors.InvalidDpopProof('the DPoP proof was used before', { cause: error });
    default:
      return new errors.InvalidGrant({ cause: error });
  }
}

/** The same function for the library to call: what it rejects with is translated. */
export function withTranslatedErrors<Arguments extends unknown[], Answer>(
  call: (...args: Arguments) => Promise<Answer>,
): (...args: Arguments) => Promise<Answer> {
  return async (...args) => {
    try {
      return await call(...args);
    } catch (error) {
      throw translateStorageError(error);
    }
  };
}

/** 503 with the code that RFC 6749 §4.1.2.1 has for an overloaded or down server. */
export class TemporarilyUnavailable extends errors.OIDCProviderError {
  constructor(cause?: unknown) {
    super(503, 'temporarily_unavailable');
    this.expose = true;
    this.error_description = 'the service is temporarily unavailable, try again shortly';
    if (cause !== undefined) this.cause = cause;
  }
}
