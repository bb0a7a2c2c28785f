// Every page in the shapes that it can take, for checks and screenshots: add a page or a shape of one with one line.
import type { AccountFrame } from '../../src/http/account-page-contents.ts';
import type { Pages } from '../../src/http/pages.ts';
import type { Texts } from '../../views/texts/en.ts';
import { pageNames, pageSamples, passkey } from './page-samples.ts';

export interface PageVariant {
  /** also the name of its screenshot */
  what: string;
  name: keyof Pages;
  /** what the page shows, in that language */
  locals(texts: Texts): Pages[keyof Pages];
}

const LONG = 'Donaudampfschifffahrtsgesellschaftskapitänsverwaltungsanwendung des Landes Example (Testumgebung)';
const requestId = '7f3a1c92-40ce-4e0b-9a5f-1d0c2f6a8b11';
const form = { action: '/login/kq3', csrf: 'vJ2cQ0', cancel: '/login/kq3/cancel' };
const client = {
  name: 'Example Reports',
  clientUri: 'https://reports.example/',
  logoUri: 'https://reports.example/logo.svg',
};
const links = { policyUri: 'https://reports.example/privacy', tosUri: 'https://reports.example/terms' };

function variant<Name extends keyof Pages>(
  what: string,
  name: Name,
  locals: (texts: Texts) => Pages[Name],
): PageVariant {
  return { what, name, locals };
}

const moment = { text: '21 Nov 2026, 10:15 UTC', iso: '2026-11-21T10:15:00.000Z' };
const session = {
  address: '192.0.2.7',
  signedIn: moment,
  used: moment,
  clients: ['Example Reports', 'Example Calendar'],
};

/** With the links to all pages. */
function frameOf({ accountFrame }: Texts, here: keyof Texts['accountFrame']['links']): AccountFrame {
  const links = Object.entries(accountFrame.links).map(([page, label]) => ({
    href: `/account/${page}`,
    label,
    isHere: page === here,
  }));
  return { username: 'alice', links, signOut: '/logout' };
}

const shapes: readonly PageVariant[] = [
  variant('login', 'login', () => ({ ...form, client: { ...client, ...links } })),
  variant('login-passkey', 'login', () => ({ ...form, client, passkey })),
  variant('login-alone', 'login', () => ({ action: form.action, csrf: form.csrf })),
  variant('login-notice', 'login', ({ login }) => ({ ...form, client, notice: login.otherAccount })),
  variant('login-error', 'login', ({ login }) => ({ ...form, client, login: 'alice', error: login.refused })),
  variant('login-ways', 'login', () => ({
    ...form,
    client: { ...client, ...links },
    resetPassword: '/reset-password?uid=kq3',
    signUp: '/sign-up?uid=kq3',
    upstreams: [
      { id: 'google', action: '/login/kq3/with/google', label: 'Google' },
      { id: 'university', action: '/login/kq3/with/university', label: 'Example University' },
    ],
  })),
  variant('login-long', 'login', ({ login }) => ({
    ...form,
    client: { ...client, ...links, name: LONG },
    login: `${LONG.replaceAll(' ', '.')}@example.com`,
    error: `${login.refused} ${login.otherAccount} ${LONG}`,
  })),
  variant('consent', 'consent', ({ consent }) => ({
    ...form,
    client: { ...client, ...links },
    account: { username: 'alice' },
    scopes: [
      { name: 'profile', description: consent.scopes.profile },
      { name: 'email', description: consent.scopes.email },
    ],
    claims: [consent.claimNames.phone_number, consent.claimNames.birthdate],
    resources: [{ audience: 'logging-service', scopes: ['logs:read', 'logs:write'] }],
    offlineAccess: true,
  })),
  variant('consent-long', 'consent', ({ consent }) => ({
    ...form,
    client: { ...client, name: LONG, clientUri: `https://${'very-long-label.'.repeat(8)}example/` },
    account: { username: 'a'.repeat(64) },
    scopes: [{ name: 'x', description: consent.otherScope('urn:example:scope:'.repeat(6)) }],
    claims: Object.values(consent.claimNames),
    resources: [{ audience: `https://${'api.'.repeat(20)}example/`, scopes: [] }],
    offlineAccess: false,
  })),
  variant('reset-password', 'reset-password', () => ({
    action: '/reset-password',
    csrf: 'vJ2cQ0',
    back: '/login/kq3',
  })),
  variant('choose-password', 'choose-password', ({ 'choose-password': words }) => ({
    ...words.reset,
    action: '/reset-password/kq3',
    csrf: 'vJ2cQ0',
    username: 'alice',
    minimumLength: 15,
  })),
  variant('choose-password-error', 'choose-password', ({ 'choose-password': words, newPassword }) => ({
    ...words.invitation,
    action: '/invitation/kq3',
    csrf: 'vJ2cQ0',
    username: `${LONG.replaceAll(' ', '.')}@example.com`,
    minimumLength: 15,
    error: newPassword.personal(),
  })),
  variant('sign-up', 'sign-up', () => ({ action: '/sign-up', csrf: 'vJ2cQ0', back: '/login/kq3' })),
  variant('sign-up-error', 'sign-up', ({ 'sign-up': words }) => ({
    action: '/sign-up',
    csrf: 'vJ2cQ0',
    email: 'alice',
    name: LONG,
    error: words.invalidEmail,
  })),
  variant('letter-sent', 'outcome', ({ outcome }) => ({
    ...outcome.resetSent,
    again: { href: '/reset-password' },
    button: { href: '/login/kq3', label: outcome.back },
  })),
  variant('link-gone', 'outcome', ({ outcome }) => ({
    ...outcome.linkGone,
    button: { href: '/reset-password', label: outcome.askAgain },
  })),
  variant('password-changed', 'outcome', ({ outcome }) => ({
    ...outcome.passwordChanged,
    button: { href: '/login/kq3', label: outcome.signIn },
  })),
  variant('second-factor', 'second-factor', () => ({
    ...form,
    client,
    recovery: false,
    app: true,
    passwordShown: true,
    other: { href: '/login/kq3/recovery-code' },
  })),
  variant('recovery-code', 'second-factor', ({ 'second-factor': words }) => ({
    ...form,
    client: { ...client, name: LONG },
    recovery: true,
    app: true,
    passwordShown: true,
    other: { href: '/login/kq3/second-factor' },
    error: words.recoveryRefused,
  })),
  variant('authenticator', 'authenticator', () => {
    const { error: _, skip: __, passkey: ___, ...page } = pageSamples.authenticator;
    return page;
  }),
  variant('authenticator-or-passkey', 'authenticator', () => {
    const { error: _, skip: __, ...page } = pageSamples.authenticator;
    return page;
  }),
  variant('authenticator-passkey-only', 'authenticator', ({ 'account-passkey-add': words }) => {
    const { app: _, skip: __, ...page } = pageSamples.authenticator;
    return { ...page, error: words.refused };
  }),
  variant('recovery-codes', 'recovery-codes', () => ({
    ...form,
    codes: Array.from({ length: 5 }, () => pageSamples['recovery-codes'].codes).flat(),
  })),
  variant('account-authenticator-off', 'account-authenticator', () => {
    const { error: _, recovery: __, remove: ___, ...page } = pageSamples['account-authenticator'];
    return { ...page, hasApp: false };
  }),
  variant('account-authenticator-required', 'account-authenticator', () => {
    const { error: _, remove: __, ...page } = pageSamples['account-authenticator'];
    return { ...page, isRequired: true };
  }),
  variant('account-overview', 'account', (texts) => ({
    frame: frameOf(texts, 'overview'),
    facts: [
      { label: texts.account.username, value: 'alice' },
      { label: texts.account.name, value: 'Alice Example', href: '/account/profile' },
      { label: texts.account.email, value: texts.account.unverified('alice@example.org'), href: '/account/profile' },
    ],
    topics: Object.entries(texts.account.topics).map(([topic, about]) => ({
      href: `/account/${topic}`,
      label: texts.accountFrame.links[topic as keyof Texts['account']['topics']],
      about,
    })),
  })),
  variant('account-sessions-elsewhere', 'account-sessions', (texts) => ({
    frame: { ...frameOf(texts, 'sessions'), outcome: texts.accountFrame.outcomes.sessionEnded },
    sessions: [
      { ...session, id: 's1', isHere: true, browser: texts['account-sessions'].on('Firefox', 'Linux') },
      { ...session, id: 's2', isHere: false, browser: texts['account-sessions'].on('Safari', 'iPhone'), clients: [] },
      { ...session, id: 's3', isHere: false, browser: texts['account-sessions'].unknownBrowser },
    ],
    end: '/account/sessions/end',
    endOthers: '/account/sessions/end-others',
    csrf: form.csrf,
  })),
  variant('logout', 'logout', () => ({ action: '/logout/confirm', xsrf: 'vJ2cQ0', client })),
  variant('logout-alone', 'logout', () => ({ action: '/logout/confirm', xsrf: 'vJ2cQ0' })),
  variant('signed-out', 'signed-out', () => ({ client, start: { href: '/' } })),
  variant('signed-out-alone', 'signed-out', () => ({ start: { href: '/' } })),
  variant('error', 'error', ({ error }) => ({
    ...error.refused,
    error: 'invalid_request',
    description: 'requested scope is not allowed',
    requestId,
  })),
  variant('lost-sign-in', 'error', ({ lostSignIn }) => ({
    ...lostSignIn.elsewhere,
    button: { href: '/login/kq3/again', label: lostSignIn.carryOn },
    error: 'invalid_request',
    requestId,
  })),
  variant('error-long', 'error', ({ error }) => ({
    ...error.unregistered,
    error: 'invalid_redirect_uri',
    description: `redirect_uri https://${'very-long-label.'.repeat(8)}example/callback did not match any of the client's`,
    requestId,
  })),
  variant('home', 'home', ({ home }) => ({
    issuer: 'https://id.example.com',
    discovery: 'https://id.example.com/.well-known/openid-configuration',
    account: { href: 'https://id.example.com/account', label: home.account },
    links: [
      { href: 'https://id.example.com/jwks', label: home.keys },
      { href: 'https://id.example.com/ping', label: home.health },
    ],
  })),
];

/** The shapes above, and the sample of every page that has none there of its own name. */
export const pageVariants: readonly PageVariant[] = [
  ...shapes,
  ...pageNames
    .filter((name) => !shapes.some(({ what }) => what === name))
    .map((name) => variant(name, name, () => pageSamples[name])),
];

/** @throws when there is none */
export function pageVariant(what: string): PageVariant {
  const found = pageVariants.find((one) => one.what === what);
  if (!found) throw new TypeError(`there is no page variant "${what}"`);
  return found;
}
