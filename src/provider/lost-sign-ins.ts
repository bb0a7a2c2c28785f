// What an end-user sees whose sign-in cannot go on here: one sentence, and one button that continues.
import { UnsecuredJWT } from 'jose';
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Texts } from '../../views/texts/en.ts';
import { formatParameters } from '../http/body.ts';
import { issuerPath } from '../http/issuer-path.ts';
import { textsFor } from '../http/languages.ts';
import type { ErrorPage } from '../http/page-contents.ts';
import type { PageResponses } from '../http/page-responses.ts';
import { seeOther } from '../http/redirects.ts';
import type { Clock } from '../store.ts';
import type { LastAnswer } from './last-answer.ts';
import { SEALED_REQUEST, SENT_AGAIN, type SealedRequest, type SealedRequests } from './sealed-requests.ts';

const DAY = 24 * 60 * 60;
/** Seconds within which the way through the authorization endpoint to a page has been gone at once. */
const AT_ONCE = 60;
/** Seconds within which who sends a form again cannot know yet that it was answered. */
const JUST_NOW = 10;
/** Seconds that a pushed request may lie until the redirect to it arrives. */
const PUSHED_LIFETIME = 60;

export interface LostSignIns {
  /**
   * Shows the page. Nothing happens until the button is pressed, and then an interaction begins in that browser: the
   * one that got lost, or that belongs to another browser, stays as it is (security requirement R37).
   * @param uid absent when there is no saying which sign-in it was
   */
  show(ctx: Context, uid?: string): void;
  /** Follows the button: sends the same authorization request again, which the library validates again. */
  sendAgain(ctx: Context, uid: string): Promise<void>;
}

export function createLostSignIns(options: {
  requests: SealedRequests;
  /** a client takes each answer once, so that sending an answered request again would end on an error of the client's */
  lastAnswer: LastAnswer;
  /** the one in use */
  provider(): Provider;
  pages: PageResponses;
  issuer: string;
  clock: Clock;
}): LostSignIns {
  const { requests, lastAnswer, pages, issuer, clock } = options;
  const base = issuerPath(issuer);

  function show(ctx: Context, uid = ''): void {
    const sealed = ctx.query[SEALED_REQUEST];
    const again = `${base}/login/${uid}/again?${SEALED_REQUEST}=${encodeURIComponent(String(sealed))}`;
    const request = requests.open(uid, sealed);
    const answer = lastAnswer.recall(ctx);
    const texts = textsFor(ctx, request?.parameters['ui_locales']);
    ctx.status = 400;
    const situation: Situation = {
      request,
      age: request ? clock() - request.sealedAt : 0,
      isAnswered: answer !== undefined && answer.chain === request?.chain,
      isSentTwice: ctx.method === 'POST' && clock() - (answer?.signedInAt ?? 0) <= JUST_NOW,
      again,
      home: (request ? request.home : answer?.home) || undefined,
      start: `${base}/`,
      hasCookies: ctx.get('cookie') !== '',
      host: ctx.host,
    };
    const requestId = ctx.response.get('x-request-id');
    const locals = { ...wordsFor(situation, texts), error: 'invalid_request', requestId };
    pages.show(ctx, 'error', locals, { texts });
  }

  return {
    show,
    async sendAgain(ctx, uid) {
      const request = requests.open(uid, ctx.query[SEALED_REQUEST]);
      if (request === undefined || clock() - request.sealedAt > DAY) return show(ctx, uid);
      const parameters = request.pushed
        ? await push(options.provider(), request, clock() + PUSHED_LIFETIME)
        : request.parameters;
      seeOther(ctx, `${base}/authorize?${formatParameters({ ...parameters, [SENT_AGAIN]: '1' })}`);
    },
  };
}

/** What the client gave us past the browser, or with its signature, does not become a query now (RFC 9126 §1). */
async function push(
  { PushedAuthorizationRequest, issuer }: Provider,
  { parameters, trusted }: SealedRequest,
  exp: number,
) {
  const clientId = String(parameters['client_id']);
  const request = new UnsecuredJWT(parameters).setIssuer(clientId).setAudience(issuer).setExpirationTime(exp).encode();
  const pushed = new PushedAuthorizationRequest({ request, ...(trusted.length > 0 && { trusted }) });
  const id = await pushed.save(PUSHED_LIFETIME);
  return { client_id: clientId, request_uri: `urn:ietf:params:oauth:request_uri:${id}` };
}

interface Situation {
  request: SealedRequest | undefined;
  /** seconds */
  age: number;
  /** whether this browser has brought the answer to the client */
  isAnswered: boolean;
  /** whether a form came again while its answer may have been under way, which the browser left for this one then */
  isSentTwice: boolean;
  /** where the button sends the request again */
  again: string;
  /** the first page of the client, the one of the last answer when the request does not say */
  home: string | undefined;
  /** our own first page */
  start: string;
  hasCookies: boolean;
  host: string;
}

function wordsFor(
  situation: Situation,
  { lostSignIn: words, shared }: Texts,
): Pick<ErrorPage, 'title' | 'message' | 'button'> {
  const { request, age, isAnswered, isSentTwice, again, home, start, hasCookies, host } = situation;
  const leave =
    home === undefined ? { href: start, label: shared.toStart } : { href: home, label: words.toApplication };
  if (request === undefined) return { ...words.unknown, button: leave };
  if (age > DAY) return { ...words.tooOld, button: leave };
  if (isAnswered && isSentTwice) return { ...words.sentTwice, button: { href: again, label: words.goOn } };
  if (isAnswered && home !== undefined) return { ...words.answered, button: leave };
  if (request.sentAgain && age <= AT_ONCE && !hasCookies) {
    const { title, message } = words.noCookies;
    return { title, message: message(host), button: { href: again, label: words.tryAgain } };
  }
  return { ...words.elsewhere, button: { href: again, label: words.carryOn } };
}
