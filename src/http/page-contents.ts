// What the pages show that are not of the account page.
import type { QrCode } from './qr-code.ts';

/** How a page presents the client. Addresses that are not http or https are left out of the page. */
export interface ClientPresentation {
  name: string;
  logoUri?: string;
  policyUri?: string;
  tosUri?: string;
  clientUri?: string;
}

/** Pages with a form name its target as an absolute URL or a rooted path, and carry the token that guards the POST. */
export interface GuardedForm {
  action: string;
  csrf: string;
}

/** Posts `passkey`, what came of WebAuthn as JSON; shown by its script alone, where the browser has WebAuthn. */
export interface PasskeyForm extends GuardedForm {
  /** for `navigator.credentials`, as JSON */
  options: string;
  /** rooted path of the script */
  script: string;
}

export interface LoginPage extends GuardedForm {
  client?: ClientPresentation;
  /** what to write into the name field: a login hint, or what was typed before */
  login?: string;
  /** what went wrong and what to do now, in one or two sentences; also begins the page's title */
  error?: string;
  /** why the page is shown, when that needs saying */
  notice?: string;
  /** whether the box is ticked that keeps the session when the browser is closed */
  remember?: boolean;
  /** where the cancel button posts to; absent: there is none */
  cancel?: string;
  /** other providers to sign in with: where their buttons post to, and what they are called */
  upstreams?: readonly { id: string; action: string; label: string }[];
  /** the page for who has forgotten the password; absent: there is no mail */
  resetPassword?: string;
  /** the page for who has no account; absent: operators make them */
  signUp?: string;
  /** to sign in with a passkey, also by what the browser fills in; absent: there are none */
  passkey?: PasskeyForm;
}

/** Asks for the second factor of an account whose first one was shown. */
export interface SecondFactorPage extends GuardedForm {
  client: ClientPresentation;
  /** whether a recovery code is asked for, in the place of one of the authenticator app */
  recovery: boolean;
  /** whether the account has an authenticator app that is good enough */
  app: boolean;
  /** whether the first factor was the password, typed in this sign-in */
  passwordShown: boolean;
  /** the page that asks for the other kind of code; absent: there is none */
  other?: { href: string };
  /** absent: the account has no passkey */
  passkey?: PasskeyForm;
  error?: string;
  /** where the cancel button posts to */
  cancel: string;
}

/** What enrolling an authenticator app shows, and the form of its first code. */
export interface AuthenticatorForm extends GuardedForm {
  qr: QrCode;
  /** the secret in groups, for typing */
  key: readonly string[];
  /** opens the app on this very device */
  link: { href: string };
}

/** Sets up a second factor within a sign-in. */
export interface AuthenticatorPage {
  csrf: string;
  client: ClientPresentation;
  /** absent: it has to be a passkey */
  app?: AuthenticatorForm;
  /** absent: there are none */
  passkey?: PasskeyForm;
  error?: string;
  /** where the button posts to that goes on without; absent: it has to be */
  skip?: string;
  /** where the cancel button posts to */
  cancel: string;
}

/** Posts `kept` when the end-user says so. */
export interface RecoveryCodesPage extends GuardedForm {
  codes: readonly string[];
}

export interface ConsentPage extends GuardedForm {
  /** where the deny button posts to */
  cancel: string;
  client: ClientPresentation;
  account: { username: string };
  /** `description` says what the scope lets the client do, starting with a verb */
  scopes: readonly { name: string; description: string }[];
  /** single claims asked for, beyond those of the scopes, by the names that people know */
  claims: readonly string[];
  resources: readonly { audience: string; scopes: readonly string[] }[];
  /** whether a refresh token outlives the session (OpenID Connect Core §11) */
  offlineAccess: boolean;
}

/** Posts `xsrf`, and `logout=yes` when the end-user signs out (the names are the library's). */
export interface LogoutPage {
  action: string;
  xsrf: string;
  client?: Pick<ClientPresentation, 'name'>;
}

export interface SignedOutPage {
  client?: Pick<ClientPresentation, 'name' | 'clientUri'>;
  /** where to go on without a client that has a page; a rooted path */
  start: { href: string };
}

/** Asks whose password is forgotten. */
export interface ResetPasswordPage extends GuardedForm {
  /** what was typed before */
  login?: string;
  error?: string;
  /** the sign-in that the end-user comes from */
  back?: string;
}

/** Takes a new password, by the link of a letter. */
export interface ChoosePasswordPage extends GuardedForm {
  /** why, and what the button does: `t` has both for each purpose of a link */
  title: string;
  submit: string;
  /** whose it is, also for the browser's memory of passwords */
  username: string;
  /** least number of characters */
  minimumLength: number;
  /** what is wrong with the one that was chosen */
  error?: string;
}

export interface SignUpPage extends GuardedForm {
  email?: string;
  name?: string;
  error?: string;
  back?: string;
}

export interface ConfirmEmailPage extends GuardedForm {
  email: string;
  /** of the account that gets the address: anybody can give that of somebody else */
  username: string;
}

/** Says how something ended, and leads on. */
export interface OutcomePage {
  title: string;
  message: string;
  /** the form that sends another letter, where one is on its way; a rooted path */
  again?: { href: string };
  /** a rooted path */
  button?: { href: string; label: string };
}

export interface FormPostPage {
  /** absolute URL */
  action: string;
  fields: readonly { name: string; value: string }[];
  /** whether a script presses the button at once */
  isAutomatic: boolean;
}

export interface ErrorPage {
  /** what happened, in a few words */
  title: string;
  /** what happened, in a sentence without jargon */
  message: string;
  /** what to do now */
  advice?: string;
  button?: { href: string; label: string };
  /** OAuth error code (RFC 6749 §4.1.2.1) */
  error: string;
  /** for the client's developer */
  description?: string;
  requestId: string;
}

export interface HomePage {
  issuer: string;
  /** address of the metadata document */
  discovery: string;
  account: { href: string; label: string };
  links: readonly { href: string; label: string }[];
}

/** The templates and what they show. */
export interface GeneralPages {
  login: LoginPage;
  'second-factor': SecondFactorPage;
  authenticator: AuthenticatorPage;
  'recovery-codes': RecoveryCodesPage;
  consent: ConsentPage;
  logout: LogoutPage;
  'signed-out': SignedOutPage;
  'reset-password': ResetPasswordPage;
  'choose-password': ChoosePasswordPage;
  'sign-up': SignUpPage;
  'confirm-email': ConfirmEmailPage;
  outcome: OutcomePage;
  'form-post': FormPostPage;
  error: ErrorPage;
  home: HomePage;
}
