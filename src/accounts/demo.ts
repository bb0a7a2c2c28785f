// The demo account: an end-user to try things out with, in development only.
import type { StandardClaims } from '../store.ts';
import type { AccountDirectory } from './directory.ts';

/** Every standard claim has a value, so that each scope shows what it gives (OpenID Connect Core §5.1). */
const CLAIMS: StandardClaims = {
  name: 'Demo User',
  given_name: 'Demo',
  family_name: 'User',
  middle_name: 'Quick',
  nickname: 'demo',
  profile: 'https://demo.example.com/profile',
  picture: 'https://demo.example.com/picture.png',
  website: 'https://demo.example.com/',
  email: 'demo@example.com',
  email_verified: true,
  gender: 'unspecified',
  birthdate: '2000-01-31',
  zoneinfo: 'Europe/Berlin',
  locale: 'en-US',
  phone_number: '+1 555 0100',
  phone_number_verified: true,
  address: {
    formatted: '1 Example Street\nExampleton',
    street_address: '1 Example Street',
    locality: 'Exampleton',
    country: 'US',
  },
};

/** Makes the account, or gives it this password again; any password will do. */
export async function seedDemoAccount(
  accounts: AccountDirectory,
  { username, password }: { username: string; password: string },
): Promise<void> {
  const existing = await accounts.findByUsername(username);
  if (existing === undefined) {
    await accounts.add({ username, password, claims: CLAIMS });
  } else if ((await accounts.authenticate(username, password)) === undefined) {
    await accounts.setPassword(existing.id, password);
  }
}
