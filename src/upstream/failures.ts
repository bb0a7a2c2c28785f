// What openid-client throws, as the two things that can go wrong at another provider.
import * as client from 'openid-client';
import { UpstreamFailed, UpstreamRefused } from './upstream.ts';

/** The error to throw: only a refusal by the end-user is told apart. */
export function failureOf(error: unknown, label: string): UpstreamFailed | UpstreamRefused {
  if (error instanceof UpstreamFailed) return error;
  if (error instanceof client.AuthorizationResponseError) {
    return error.error === 'access_denied'
      ? new UpstreamRefused(`${label} answered access_denied`, { cause: error })
      : new UpstreamFailed(`${label} answered ${error.error}`, { cause: error });
  }
  return new UpstreamFailed(`signing in at ${label} failed`, { cause: error });
}
