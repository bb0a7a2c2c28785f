// Renders the pages that an end-user sees, from the Pug templates and the one stylesheet in `views/`.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pug from 'pug';
import { en, type Texts } from '../../views/texts/en.ts';
import { accentStyle } from './accent-colors.ts';
import type { QrCode } from './qr-code.ts';

const VIEWS = join(import.meta.dirname, '../../views');

/** How a page presents the client. Addresses that are not http or https are left out of the page. */
export interface ClientPresentation {
  name: string;
  logoUri?: string;
  policyUri?: string;
  tosUri?: string;
  clientUri?: string;
}

/** Pages with a form name its target as an absolute URL or a rooted path, and carry the token that guards the POST. */
interface GuardedForm {
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

export interface AccountOverviewPage extends Framed {
  /** what is known of the account, and the page that changes it */
  facts: readonly { label: string; value: string; href?: string }[];
  /** the other pages, with what they are for */
  topics: readonly { href: string; label: string; about: string }[];
}

/** Accounts elsewhere that sign in to this one. */
export interface AccountIdentitiesPage extends Framed {
  /** `name` is the provider's, `label` the account's there */
  linked: readonly { upstream: string; subject: string; name: string; label: string; since: Moment }[];
  /** providers to link an account of: what they are called, and where the button posts to */
  others: readonly { id: string; label: string; action: string }[];
  /** where the buttons that unlink post `upstream` and `subject` to */
  action: string;
  csrf: string;
  error?: string;
}

export interface AccountAuthenticatorPage extends Framed {
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

export interface AccountAuthenticatorSetUpPage extends Framed, AuthenticatorForm {
  back: { href: string };
  error?: string;
}

export interface AccountRecoveryCodesPage extends Framed, RecoveryCodesPage {}

export interface AccountPasskeysPage extends Framed {
  /** where one is added */
  add: { href: string };
  /** each with the page that changes it */
  passkeys: readonly { href: string; name: string; created: Moment; lastUsed?: Moment }[];
}

export interface AccountPasskeyAddPage extends Framed {
  passkey: PasskeyForm;
  back: { href: string };
  error?: string;
}

export interface AccountPasskeyPage extends Framed {
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

export interface AccountProfilePage extends Framed, GuardedForm {
  username: string;
  name: string;
  email?: { address: string; isVerified: boolean };
  changeEmail: { href: string };
  error?: string;
}

export interface AccountEmailPage extends Framed, GuardedForm {
  /** what is written into the field */
  email: string;
  back: { href: string };
  /** whether the address has to be confirmed by a letter */
  isConfirmed: boolean;
  error?: string;
}

/** Posts `current`, where there is a password, and `password`. */
export interface AccountPasswordPage extends Framed, GuardedForm {
  username: string;
  hasPassword: boolean;
  minimumLength: number;
  error?: string;
}

/** Posts `session`. */
export interface AccountSessionsPage extends Framed {
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
export interface AccountApplicationsPage extends Framed {
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

export interface AccountActivityPage extends Framed {
  /** the newest first */
  events: readonly { text: string; at: Moment; client?: string; address?: string }[];
}

/** Every template and what it shows. */
export interface Pages {
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

export interface PageRenderer {
  /**
   * A whole HTML document. Every string in `locals` is escaped.
   * @param texts English when absent; the template finds those of its page as `self.t`, all of them as `self.texts`
   */
  render<Name extends keyof Pages>(name: Name, locals: Pages[Name], texts?: Texts): string;
  /** The source that a Content-Security-Policy needs in `style-src`, unquoted: `sha256-…`. */
  readonly styleHash: string;
  /** of the one inline script, on the page `form-post`; as `styleHash` */
  readonly submitScriptHash: string;
  /** addresses of the images on every page */
  readonly images: readonly string[];
}

/** Stands for an element in a text: a character that no text contains (Unicode 23.7, noncharacters). */
const PLACE = '\u{fdd0}';

/** What end-users see of the installation on every page. */
export interface Installation {
  /** what they know this sign-in service as */
  name: string;
  /** an image that stands before the name, in the place of our mark */
  logoUrl?: string;
  /** `#rrggbb`, the colour of buttons and, as far as it can be read, of links */
  color?: string;
}

const SUBMIT_SCRIPT = 'document.forms[0].submit()';
const OWN_COLOR = '#0f6157';

/** Reads the stylesheet now, and compiles each template when it is first shown: a start should not wait for thirty. */
export function createPages(installation: Installation): PageRenderer {
  const { color, logoUrl } = installation;
  const sheet = readFileSync(join(VIEWS, 'style.css'), 'utf8')
    .replace(/\/\*.*?\*\//gs, '')
    .replace(/\s+/g, ' ');
  const style = color ? sheet + accentStyle(color) : sheet;
  const shell = {
    installation,
    icon: iconOf(color ?? OWN_COLOR),
    style,
    submitScript: SUBMIT_SCRIPT,
    webUrl,
    hostOf,
    around,
  };
  const templates = new Map<keyof Pages, pug.compileTemplate>();
  function templateOf(name: keyof Pages): pug.compileTemplate {
    const template = templates.get(name) ?? pug.compileFile(join(VIEWS, `${name}.pug`), { self: true });
    templates.set(name, template);
    return template;
  }

  return {
    render(name, locals, texts = en) {
      return templateOf(name)({
        ...locals,
        ...shell,
        page: name,
        t: texts[name],
        texts,
        shared: texts.shared,
        language: texts.language,
      });
    },
    styleHash: hashOf(style),
    submitScriptHash: hashOf(SUBMIT_SCRIPT),
    images: logoUrl ? [logoUrl] : [],
  };
}

/** A source of a Content-Security-Policy (CSP 3 §2.3.1), without its quotes. */
function hashOf(inline: string): string {
  return `sha256-${createHash('sha256').update(inline).digest('base64')}`;
}

/** Our mark as a data URL, for the browser's tab. */
function iconOf(color: string): string {
  const svg = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect width='32' height='32' rx='9' fill='${color}'/><circle cx='16' cy='13' r='5' fill='#fff'/><path d='M14 15h4l2 9h-8z' fill='#fff'/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/**
 * What stands before and after the parameter of a text, for a template that puts an element in its place: where that is
 * depends on the language.
 */
function around(text: (parameter: string) => string): { before: string; after: string } {
  const [before = '', after = ''] = text(PLACE).split(PLACE);
  return { before, after };
}

/** The address, when following it is safe: `javascript:` and its like are not. */
function webUrl(uri: string | undefined): string | undefined {
  const url = uri === undefined ? null : URL.parse(uri);
  return url && /^https?:$/.test(url.protocol) ? url.href : undefined;
}

/** The host of a web address, by which an end-user can tell a client from another of the same name. */
function hostOf(uri: string | undefined): string | undefined {
  const web = webUrl(uri);
  return web && new URL(web).host;
}
