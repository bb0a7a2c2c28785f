// One realistic example of every page, for the tests that look at all of them.
import type { AccountFrame, Pages } from '../../src/http/pages.ts';
import { en } from '../../views/texts/en.ts';

const client = {
  name: 'Example Reports',
  logoUri: 'https://reports.example/logo.svg',
  policyUri: 'https://reports.example/privacy',
  tosUri: 'https://reports.example/terms',
  clientUri: 'https://reports.example/',
};

/** Around each page of the account page. */
const frame: AccountFrame = {
  username: 'alice',
  links: [
    { href: '/account', label: 'Overview', isHere: true },
    { href: '/account/sessions', label: 'Where you are signed in', isHere: false },
  ],
  signOut: '/logout',
  outcome: 'Your profile is saved.',
  texts: en.accountFrame,
};

/** Every page with every part that it can show. */
export const pageSamples: Pages = {
  login: {
    action: '/login/kq3',
    csrf: 'vJ2cQ0',
    client,
    login: 'alice@example.org',
    error: 'That username and password do not match. Check both and try again.',
    cancel: '/login/kq3/cancel',
  },
  consent: {
    action: '/login/kq3/consent',
    cancel: '/login/kq3/cancel',
    csrf: 'vJ2cQ0',
    client,
    account: { username: 'alice' },
    scopes: [
      { name: 'profile', description: 'See your name, picture and other profile details' },
      { name: 'email', description: 'See your email address' },
    ],
    claims: ['phone number', 'birthdate'],
    resources: [{ audience: 'logging-service', scopes: ['logs:read', 'logs:write'] }],
    offlineAccess: true,
  },
  logout: { action: '/logout/confirm', xsrf: 'vJ2cQ0', client },
  'signed-out': { client },
  error: {
    title: 'This sign-in page has expired',
    message: 'It was open for too long, or it was opened in another browser.',
    advice: 'Go back to the application and sign in from there again.',
    button: { href: 'https://reports.example/', label: 'Back to Example Reports' },
    error: 'invalid_request',
    description: 'interaction session not found',
    requestId: '7f3a1c92-40ce-4e0b-9a5f-1d0c2f6a8b11',
  },
  home: {
    issuer: 'https://id.example.com',
    discovery: 'https://id.example.com/.well-known/openid-configuration',
    links: [{ href: 'https://id.example.com/jwks', label: 'Signing keys' }],
  },
  account: {
    frame,
    facts: [
      { label: 'Username', value: 'alice' },
      { label: 'E-mail address', value: 'alice@example.org', href: '/account/profile' },
    ],
    topics: [{ href: '/account/sessions', label: 'Where you are signed in', about: 'See it, and sign out elsewhere.' }],
  },
};

/** The names of all pages. */
export const pageNames = Object.keys(pageSamples) as (keyof Pages)[];
