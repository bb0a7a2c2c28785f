// Renders the pages that an end-user sees, from the Pug templates in `views/`.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import pug from 'pug';
import { en, type Texts } from '../../views/texts/en.ts';
import type { AccountPages } from './account-page-contents.ts';
import type { KeptFile } from './kept-files.ts';
import type { GeneralPages } from './page-contents.ts';

const VIEWS = join(import.meta.dirname, '../../views');

/** Every template and what it shows. */
export interface Pages extends GeneralPages, AccountPages {}

export interface PageRenderer {
  /**
   * A whole HTML document. Every string in `locals` is escaped.
   * @param texts English when absent; the template finds those of its page as `self.t`, all of them as `self.texts`
   */
  render<Name extends keyof Pages>(name: Name, locals: Pages[Name], texts?: Texts): string;
  /** address of the stylesheet of every page */
  readonly styleSrc: string;
  /** The source that a Content-Security-Policy needs for the one inline script, on the page `form-post`, unquoted: `sha256-…`. */
  readonly submitScriptHash: string;
  /** addresses of the scripts on that page, but for those that its locals name */
  scriptsOf(name: keyof Pages): readonly string[];
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

/** The pages with forms, but for the one that sends itself: none is to be sent twice by accident. */
const WITH_FORMS: ReadonlySet<keyof Pages> = new Set([
  'login',
  'second-factor',
  'authenticator',
  'recovery-codes',
  'consent',
  'logout',
  'choose-password',
  'sign-up',
  'reset-password',
  'confirm-email',
  'account-password',
  'account-profile',
  'account-email',
  'account-authenticator',
  'account-authenticator-set-up',
  'account-recovery-codes',
  'account-passkey',
  'account-passkey-add',
  'account-identities',
  'account-sessions',
  'account-applications',
]);

/** What pages load from this service. */
export interface PageFiles {
  stylesheet: Pick<KeptFile, 'href' | 'url'>;
  formScript: Pick<KeptFile, 'href' | 'url'>;
}

const SUBMIT_SCRIPT = 'document.forms[0].submit()';
const OWN_COLOR = '#0f6157';

/** Compiles each template when it is first shown: a start should not wait for thirty. */
export function createPages(installation: Installation, { stylesheet, formScript }: PageFiles): PageRenderer {
  const { color, logoUrl } = installation;
  const shell = {
    installation,
    icon: iconOf(color ?? OWN_COLOR),
    stylesheet: stylesheet.href,
    submitScript: SUBMIT_SCRIPT,
    webUrl,
    hostOf,
    around,
  };
  const templates = new Map<keyof Pages, pug.compileTemplate>();
  function templateOf(name: keyof Pages): pug.compileTemplate {
    const template =
      templates.get(name) ?? pug.compileFile(join(VIEWS, `${name}.pug`), { self: true, compileDebug: false });
    templates.set(name, template);
    return template;
  }

  return {
    render(name, locals, texts = en) {
      return templateOf(name)({
        ...locals,
        ...shell,
        page: name,
        formScript: WITH_FORMS.has(name) && formScript.href,
        t: texts[name],
        texts,
        shared: texts.shared,
        language: texts.language,
      });
    },
    styleSrc: stylesheet.url,
    scriptsOf: (name) => (WITH_FORMS.has(name) ? [formScript.url] : []),
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
