// One realistic example of every page, for the tests that look at all of them.
import type { AccountFrame } from '../../src/http/account-page-contents.ts';
import { createFormScript } from '../../src/http/form-script.ts';
import type { Pages } from '../../src/http/pages.ts';
import { createPasskeyScript } from '../../src/http/passkey-script.ts';
import { qrCodeOf } from '../../src/http/qr-code.ts';
import { createStylesheet } from '../../src/http/stylesheet.ts';

const client = {
  name: 'Example Reports',
  logoUri: 'https://reports.example/logo.svg',
  policyUri: 'https://reports.example/privacy',
  tosUri: 'https://reports.example/terms',
  clientUri: 'https://reports.example/',
};

/** The script of pages with a passkey form. */
export const passkeyScript = createPasskeyScript('https://id.example.com');

/** That of every page, without a colour. */
export const stylesheet = createStylesheet('https://id.example.com');

const formScript = createFormScript('https://id.example.com');

/** All scripts that there are. */
export const scripts = [passkeyScript, formScript];

/** What pages load, but for passkeys. */
export const pageFiles = { stylesheet, formScript };

export const passkey = {
  action: '/login/kq3/passkey',
  csrf: 'vJ2cQ0',
  options: '{"challenge":"qf2m","rpId":"id.example.com","allowCredentials":[]}',
  script: passkeyScript.path,
};

const moment = { text: '21 Nov 2026, 10:15 UTC', iso: '2026-11-21T10:15:00.000Z' };

/** Around each page of the account page. */
const frame: AccountFrame = {
  username: 'alice',
  links: [
    { href: '/account', label: 'Overview', isHere: true },
    { href: '/account/sessions', label: 'Where you are signed in', isHere: false },
  ],
  signOut: '/logout',
  outcome: 'Your profile is saved.',
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
    passkey,
    upstreams: [{ id: 'oidc', action: '/login/kq3/upstream/oidc', label: 'Example Login' }],
    resetPassword: '/reset-password?uid=kq3',
    signUp: '/sign-up?uid=kq3',
  },
  consent: {
    action: '/login/kq3/consent',
    cancel: '/login/kq3/cancel',
    csrf: 'vJ2cQ0',
    client,
    account: { username: 'alice' },
    scopes: [
      { name: 'profile', description: 'see your name, picture and other profile details' },
      { name: 'email', description: 'see your e-mail address' },
    ],
    claims: ['phone number', 'birthdate'],
    resources: [{ audience: 'logging-service', scopes: ['logs:read', 'logs:write'] }],
    offlineAccess: true,
  },
  'second-factor': {
    action: '/login/kq3/second-factor',
    csrf: 'vJ2cQ0',
    client,
    recovery: false,
    app: true,
    passwordShown: true,
    passkey,
    other: { href: '/login/kq3/recovery-code' },
    error: 'That code does not work. Wait until your app shows a new one, then type that.',
    cancel: '/login/kq3/cancel',
  },
  authenticator: {
    csrf: 'vJ2cQ0',
    client,
    app: {
      action: '/login/kq3/authenticator',
      csrf: 'vJ2cQ0',
      qr: qrCodeOf('otpauth://totp/Example:alice?secret=JBSWY3DPEHPK3PXP&issuer=Example'),
      key: ['JBSW', 'Y3DP', 'EHPK', '3PXP'],
      link: { href: 'otpauth://totp/Example:alice?secret=JBSWY3DPEHPK3PXP&issuer=Example' },
    },
    passkey: { ...passkey, action: '/login/kq3/authenticator/passkey' },
    error: 'That is not the code that the app shows now.',
    skip: '/login/kq3/authenticator/skip',
    cancel: '/login/kq3/cancel',
  },
  'recovery-codes': {
    action: '/login/kq3/recovery-codes',
    csrf: 'vJ2cQ0',
    codes: ['k7mq-2xv9-h4td-8wz3', 'p3ns-c9gf-40ab-xk2e'],
  },
  logout: { action: '/logout/confirm', xsrf: 'vJ2cQ0', client },
  'signed-out': { client, start: { href: '/' } },
  'reset-password': {
    action: '/reset-password',
    csrf: 'vJ2cQ0',
    login: 'alice@example.org',
    error: 'Type your username or your e-mail address.',
    back: '/login/kq3',
  },
  'choose-password': {
    action: '/reset-password/kq3',
    csrf: 'vJ2cQ0',
    title: 'Choose a new password',
    submit: 'Save the password',
    username: 'alice',
    minimumLength: 15,
    error: 'This password is among those that are guessed first. Choose another one.',
  },
  'sign-up': {
    action: '/sign-up',
    csrf: 'vJ2cQ0',
    email: 'alice@example',
    name: 'Alice',
    error: 'That is not an e-mail address. Check it and try again.',
    back: '/login/kq3',
  },
  'confirm-email': { action: '/verify-email/kq3', csrf: 'vJ2cQ0', email: 'alice@example.org', username: 'alice' },
  outcome: {
    title: 'Your password is changed',
    message: 'You are signed out everywhere. Sign in with the new password.',
    again: { href: '/reset-password' },
    button: { href: '/login/kq3', label: 'Continue to sign in' },
  },
  'form-post': {
    action: '/callback',
    fields: [{ name: 'code', value: 'bFz3' }],
    isAutomatic: false,
  },
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
    account: { href: 'https://id.example.com/account', label: 'Your account' },
    discovery: 'https://id.example.com/.well-known/openid-configuration',
    links: [{ href: 'https://id.example.com/jwks', label: 'Signing keys' }],
  },
  'account-identities': {
    frame,
    linked: [
      {
        upstream: 'oidc',
        subject: 's1',
        name: 'Example Login',
        label: 'alice@example.org',
        since: { text: 'November 21, 2026', iso: '2026-11-21T12:00:00Z' },
      },
    ],
    others: [{ id: 'oidc', label: 'Example Login', action: '/account/identities/oidc/connect' }],
    action: '/account/identities/remove',
    csrf: 'vJ2cQ0',
    error: 'This is the only way into your account: choose a password first, then disconnect it.',
  },
  'account-passkeys': {
    frame,
    add: { href: '/account/passkeys/add' },
    passkeys: [
      {
        href: '/account/passkeys/q2',
        name: 'Firefox on Linux',
        created: { text: '20 Nov 2026, 08:15 UTC', iso: '2026-11-20T08:15:00.000Z' },
        lastUsed: { text: '21 Nov 2026, 19:30 UTC', iso: '2026-11-21T19:30:00.000Z' },
      },
      {
        href: '/account/passkeys/q3',
        name: 'Blue security key',
        created: { text: '21 Nov 2026, 08:15 UTC', iso: '2026-11-21T08:15:00.000Z' },
      },
    ],
  },
  'account-passkey-add': {
    frame,
    passkey: { ...passkey, action: '/account/passkeys/add' },
    asksMore: true,
    back: { href: '/account/passkeys' },
    error: 'That took too long. Try again.',
  },
  'account-passkey': {
    frame,
    csrf: 'vJ2cQ0',
    back: { href: '/account/passkeys' },
    name: 'Firefox on Linux',
    rename: '/account/passkeys/q2',
    remove: { action: '/account/passkeys/q2/remove', asksPassword: true },
    error: 'That is not your password. Try again.',
  },
  'account-authenticator': {
    frame,
    csrf: 'vJ2cQ0',
    hasApp: true,
    isRequired: false,
    setUp: { href: '/account/authenticator/set-up' },
    recovery: { left: 7, action: '/account/authenticator/recovery-codes' },
    remove: { action: '/account/authenticator/remove', asksPassword: true },
    error: 'That is not your password. Try again.',
  },
  'account-authenticator-set-up': {
    frame,
    action: '/account/authenticator/set-up',
    csrf: 'vJ2cQ0',
    back: { href: '/account/authenticator' },
    qr: qrCodeOf('otpauth://totp/Example:alice?secret=JBSWY3DPEHPK3PXP&issuer=Example'),
    key: ['JBSW', 'Y3DP', 'EHPK', '3PXP'],
    link: { href: 'otpauth://totp/Example:alice?secret=JBSWY3DPEHPK3PXP&issuer=Example' },
    error: 'That is not the code that the app shows now.',
  },
  'account-recovery-codes': {
    frame,
    action: '/account/recovery-codes',
    csrf: 'vJ2cQ0',
    codes: ['k7mq-2xv9-h4td-8wz3', 'p3ns-c9gf-40ab-xk2e'],
  },
  'account-profile': {
    frame,
    action: '/account/profile',
    csrf: 'vJ2cQ0',
    username: 'alice',
    name: 'Alice Example',
    email: { address: 'alice@example.org', isVerified: false },
    changeEmail: { href: '/account/email' },
    error: 'This name is too long. Choose another one.',
  },
  'account-email': {
    frame,
    action: '/account/email',
    csrf: 'vJ2cQ0',
    email: 'alice@example.org',
    back: { href: '/account/profile' },
    isConfirmed: true,
    error: 'This address cannot be used here. Check it, or choose another one.',
  },
  'account-password': {
    frame,
    action: '/account/password',
    csrf: 'vJ2cQ0',
    username: 'alice',
    hasPassword: true,
    minimumLength: 15,
    error: 'That is not your current password. Check it and try again.',
  },
  'account-sessions': {
    frame,
    sessions: [
      {
        id: 'k3',
        isHere: true,
        browser: 'Firefox on Linux',
        address: '192.0.2.7',
        signedIn: moment,
        used: moment,
        clients: ['Example Reports'],
      },
      {
        id: 'k4',
        isHere: false,
        browser: 'Safari on iPhone',
        address: '2001:db8::7',
        signedIn: moment,
        used: moment,
        clients: [],
      },
    ],
    end: '/account/sessions/end',
    endOthers: '/account/sessions/end-others',
    csrf: 'vJ2cQ0',
  },
  'account-applications': {
    frame,
    applications: [
      {
        clientId: 'reports',
        name: 'Example Reports',
        since: moment,
        access: ['see your e-mail address', 'use logging-service'],
        isOffline: true,
      },
    ],
    revoke: '/account/applications/revoke',
    csrf: 'vJ2cQ0',
  },
  'account-activity': {
    frame,
    events: [{ text: 'Signed in', at: moment, client: 'Example Reports', address: '192.0.2.7' }],
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
