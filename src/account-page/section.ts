// What a section of the account page is, and what its handlers are given.
import type { Context } from 'koa';
import type { Texts } from '../../views/texts/en.ts';
import type { AccountDirectory } from '../accounts/directory.ts';
import type { AccountFrame, Moment } from '../http/account-page-contents.ts';
import type { Parameters } from '../http/body.ts';
import type { PageOptions } from '../http/page-responses.ts';
import type { Pages } from '../http/pages.ts';
import type { AuditLog, EventFacts } from '../logging/events.ts';
import type { Notices } from '../mail/notices.ts';
import type { Account } from '../store.ts';

/** The pages that have the frame of the account page. */
export type AccountPageName = {
  [Name in keyof Pages]: Pages[Name] extends { frame: AccountFrame } ? Name : never;
}[keyof Pages];

/** The sentences that a change can end with. */
export type Outcome = keyof Texts['accountFrame']['outcomes'];

/** One request of somebody who is signed in to the account page. */
export interface AccountRequest {
  readonly ctx: Context;
  readonly account: Account;
  /** uid of the provider's session */
  readonly sessionUid: string;
  /** for the forms of the page, as `csrf` */
  readonly csrf: string;
  readonly texts: Texts;
  /** the path of a page below the account page, as a browser needs it */
  pathOf(path: string): string;
  /** Whether this installation has the page. */
  has(path: string): boolean;
  /** As the reader writes it. @param at epoch seconds */
  moment(at: number): Moment;
  /** Answers with a page in the frame; the status stays as it is. */
  show<Name extends AccountPageName>(
    name: Name,
    locals: Omit<Pages[Name], 'frame'>,
    options?: Omit<PageOptions, 'texts'>,
  ): void;
  /** To be called when the account gets its first second factor: other browsers are here without having shown it. */
  endOtherVisits(): Promise<void>;
  /** Sends the browser to a page. */
  goTo(path: string): void;
  /** Sends the browser to a page, which begins with the sentence. */
  finish(path: string, outcome: Outcome): void;
  /** Who and where, for the audit log. */
  facts(): EventFacts;
}

/** A form that was posted: one of ours, from this browser. */
export interface SubmittedRequest extends AccountRequest {
  readonly form: Parameters;
}

/** Paths are relative to `/account`, and begin with a slash. */
export interface SectionRoutes {
  /** Puts a page among the links of the frame; it is also where one comes back to after signing in again. */
  entry(path: string, label: (texts: Texts) => string): void;
  /** @param options.fresh asks somebody who signed in a while ago to sign in again first */
  get(path: string, handler: (request: AccountRequest) => Promise<void> | void, options?: { fresh?: boolean }): void;
  /**
   * Handlers end with `finish`, or with the page and what is wrong with the form.
   * @param options.fresh does nothing with the form of somebody who signed in a while ago: they sign in again, and are
   *   back on the page where the form was
   */
  post(path: string, handler: (request: SubmittedRequest) => Promise<void> | void, options?: { fresh?: boolean }): void;
}

/** Adds its pages and forms. */
export type AccountSection = (routes: SectionRoutes) => void;

/** What sections of ours work with; each takes the few that it needs. */
export interface AccountPageParts {
  accounts: AccountDirectory;
  audit: AuditLog;
  notices: Notices;
}
