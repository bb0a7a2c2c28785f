// What the pages of the account page show.
import type { AuthenticatorForm, GuardedForm, PasskeyForm, RecoveryCodesPage } from './page-contents.ts';

/** What every page of the account page has around its content. */
export interface AccountFrame {
  username: string;
  /** the other pages, and this one */
  links: readonly { href: string; label: string; isHere: boolean }[];
  /** where signing out begins */
  signOut: string;
  /** what has just been changed, in a sentence */
  outcome?: string;
}

/** A page of the account page. */
export interface Framed {
  frame: AccountFrame;
}

/** A moment: as the reader writes it, and as ISO 8601. */
export interface Moment {
  text: string;
  iso: string;
}

interface AccountOverviewPage extends Framed {
  /** what is known of the account, and the page that changes it */
  facts: readonly { label: string; value: string; href?: string }[];
  /** the other pages, with what they are for */
  topics: readonly { href: string; label: string; about: string }[];
}

/** Accounts elsewhere that sign in to this one. */
interface AccountIdentitiesPage extends Framed {
  /** `name` is the provider's, `label` the account's there */
  linked: readonly { upstream: string; subject: string; name: string; label: string; since: Moment }[];
  /** providers to link an account of: what they are called, and where the button posts to */
  others: readonly { id: string; label: string; action: string }[];
  /** where the buttons that unlink post `upstream` and `subject` to */
  action: string;
  csrf: string;
  error?: string;
}

interface AccountAuthenticatorPage extends Framed {
  csrf: string;
  hasApp: boolean;
  /** whether the account must keep it */
  isRequired: boolean;
  /** where an app is set up, or replaced */
  setUp: { href: string };
  /** how many recovery codes are left, and where new ones are made */
  recovery?: { left: number; action: string };
  /** absent: it cannot be removed. Asks for the password where that would be all that is left */
  remove?: { action: string; asksPassword: boolean };
  error?: string;
}

interface AccountAuthenticatorSetUpPage extends Framed, AuthenticatorForm {
  back: { href: string };
  error?: string;
}

interface AccountRecoveryCodesPage extends Framed, RecoveryCodesPage {}

interface AccountPasskeysPage extends Framed {
  /** where one is added */
  add: { href: string };
  /** each with the page that changes it */
  passkeys: readonly { href: string; name: string; created: Moment; lastUsed?: Moment }[];
}

interface AccountPasskeyAddPage extends Framed {
  /** whether the password was enough to sign in, and will not be */
  asksMore: boolean;
  passkey: PasskeyForm;
  back: { href: string };
  error?: string;
}

interface AccountPasskeyPage extends Framed {
  csrf: string;
  back: { href: string };
  /** empty: it has none yet */
  name: string;
  /** where the form with its new name posts to */
  rename: string;
  /** absent: it cannot be removed, for the reason in `obstacle`. Asks for the password where that would be all that is left */
  remove?: { action: string; asksPassword: boolean };
  obstacle?: string;
  error?: string;
}

interface AccountProfilePage extends Framed, GuardedForm {
  username: string;
  name: string;
  email?: { address: string; isVerified: boolean };
  changeEmail: { href: string };
  error?: string;
}

interface AccountEmailPage extends Framed, GuardedForm {
  /** what is written into the field */
  email: string;
  back: { href: string };
  /** whether the address has to be confirmed by a letter */
  isConfirmed: boolean;
  error?: string;
}

/** Posts `current`, where there is a password, and `password`. */
interface AccountPasswordPage extends Framed, GuardedForm {
  username: string;
  hasPassword: boolean;
  minimumLength: number;
  error?: string;
}

/** Posts `session`. */
interface AccountSessionsPage extends Framed {
  sessions: readonly {
    id: string;
    isHere: boolean;
    browser: string;
    address?: string;
    signedIn: Moment;
    used: Moment;
    /** the applications that were used there, by name */
    clients: readonly string[];
  }[];
  end: string;
  endOthers: string;
  csrf: string;
}

/** Posts `client`. */
interface AccountApplicationsPage extends Framed {
  applications: readonly {
    clientId: string;
    name: string;
    since: Moment;
    /** what it can do, starting with a verb */
    access: readonly string[];
    isOffline: boolean;
  }[];
  revoke: string;
  csrf: string;
}

interface AccountActivityPage extends Framed {
  /** the newest first */
  events: readonly { text: string; at: Moment; client?: string; address?: string }[];
}

/** The templates and what they show. */
export interface AccountPages {
  'account-profile': AccountProfilePage;
  'account-email': AccountEmailPage;
  'account-password': AccountPasswordPage;
  'account-sessions': AccountSessionsPage;
  'account-applications': AccountApplicationsPage;
  'account-activity': AccountActivityPage;
  'account-authenticator': AccountAuthenticatorPage;
  'account-passkeys': AccountPasskeysPage;
  'account-passkey-add': AccountPasskeyAddPage;
  'account-passkey': AccountPasskeyPage;
  'account-authenticator-set-up': AccountAuthenticatorSetUpPage;
  'account-recovery-codes': AccountRecoveryCodesPage;
  account: AccountOverviewPage;
  'account-identities': AccountIdentitiesPage;
}
