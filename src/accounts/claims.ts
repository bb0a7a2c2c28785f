// The standard claims: which scope asks for which, and what an account answers (OpenID Connect Core §5.1, §5.4).
import type { Account } from '../store.ts';

/** The claims that each scope asks for: the `claims` setting of oidc-provider. */
export const claimsByScope = {
  openid: ['sub'],
  profile: [
    'name',
    'given_name',
    'family_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
};

/**
 * Everything that an account can say of itself, `sub` included; the caller picks what was asked for.
 * What is not stored but certain is added: the username, when the account was made, and that an address is unverified.
 */
export function accountClaims(account: Account): { sub: string; [claim: string]: unknown } {
  const { claims } = account;
  return {
    preferred_username: account.username,
    updated_at: account.createdAt,
    ...(claims.email !== undefined && { email_verified: false }),
    ...(claims.phone_number !== undefined && { phone_number_verified: false }),
    ...claims,
    sub: account.id,
  };
}
