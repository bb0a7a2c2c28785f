// The start page: a welcome for strangers; claims, log lines and two forms for whoever is signed in.
import type { Context } from 'koa';
import { readOwnForm, seeOther } from './forms.ts';
import { LoggingFailed, type LogLines } from './log-lines.ts';
import type { Pages, RenderPage } from './pages.ts';
import { endedSignIn } from './problem.ts';
import type { SignIn } from './relying-party.ts';
import type { Session, Sessions } from './sessions.ts';

const maxMessageLength = 500;

/** `GET /`. With `state` the browser comes back from signing out at the provider. */
export async function showHome(
  ctx: Context,
  sessions: Sessions,
  logLines: LogLines,
  renderPage: RenderPage,
): Promise<void> {
  const session = sessions.find(ctx);
  if (session !== undefined && ctx.query.state !== undefined) return finishSignOut(ctx, session);
  const notice = session?.notice;
  delete session?.notice;
  if (session?.signIn === undefined) {
    ctx.body = renderPage('welcome', { notice });
    return;
  }
  ctx.body = renderPage('home', {
    notice,
    csrf: session.csrf,
    name: displayName(session.signIn),
    claims: listClaims(session.signIn),
    ...(await readLines(session.signIn, logLines)),
  });
}

/** `POST /log-line`: writes the message to the logging service; the start page tells how it went. */
export async function writeLine(ctx: Context, sessions: Sessions, logLines: LogLines): Promise<void> {
  const { session, form } = await readOwnForm(ctx, sessions);
  if (session.signIn === undefined) throw endedSignIn();
  const message = String(form.message ?? '').trim();
  session.notice =
    message === '' || message.length > maxMessageLength
      ? { tone: 'bad', text: `Please write a message of 1 to ${maxMessageLength} characters.` }
      : await sendLine(session.signIn, logLines, message);
  seeOther(ctx, '/');
}

async function sendLine(signIn: SignIn, logLines: LogLines, message: string): Promise<NonNullable<Session['notice']>> {
  try {
    await logLines.write(await signIn.accessToken(), message, displayName(signIn));
    return { tone: 'good', text: 'Your line was written.' };
  } catch (error) {
    return { tone: 'bad', text: explainLogging(error) };
  }
}

async function readLines(signIn: SignIn, logLines: LogLines): Promise<Pick<Pages['home'], 'lines' | 'linesProblem'>> {
  try {
    return { lines: await logLines.latest(await signIn.accessToken()), linesProblem: undefined };
  } catch (error) {
    return { lines: undefined, linesProblem: explainLogging(error) };
  }
}

/** The page stays useful while the logging service does not; everything else is not ours to explain. */
function explainLogging(error: unknown): string {
  if (error instanceof LoggingFailed) return error.message;
  throw error;
}

function finishSignOut(ctx: Context, session: Session): void {
  if (ctx.query.state === session.signOutState) {
    // Only of this one: at the provider they may have stayed signed in.
    session.notice = { tone: 'good', text: 'You are signed out of this application.' };
  }
  delete session.signOutState;
  seeOther(ctx, '/');
}

function displayName({ idTokenClaims, userinfo }: SignIn): string {
  return userinfo.name ?? userinfo.preferred_username ?? idTokenClaims.sub;
}

function listClaims({ idTokenClaims, userinfo }: SignIn): Pages['home']['claims'] {
  const list = (source: string, claims: object) =>
    Object.entries(claims).map(([name, value]) => ({
      name,
      value: typeof value === 'string' ? value : JSON.stringify(value),
      source,
    }));
  return [...list('ID token', idTokenClaims), ...list('userinfo', userinfo).filter(({ name }) => name !== 'sub')];
}
