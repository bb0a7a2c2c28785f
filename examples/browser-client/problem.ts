// What can go wrong for the person in front of the browser, in words that help.

/** Thrown by anything that handles a request; `server.ts` shows it as a page with one button. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly action: { readonly href: string; readonly label: string };

  constructor(status: number, title: string, message: string, label: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'Problem';
    this.status = status;
    this.title = title;
    this.action = { href: label === 'Back to the start' ? '/' : '/login', label };
  }
}

export function cancelledSignIn(): Problem {
  return new Problem(200, 'You cancelled the sign-in', 'Nothing was shared with this application.', 'Sign in');
}

/** The browser came back with an answer that this session did not ask for, or asked for too long ago. */
export function staleSignIn(): Problem {
  const message =
    'It was started in another browser, has been used already, or took too long. Starting again will help.';
  return new Problem(400, 'This sign-in is no longer valid', message, 'Sign in again');
}

export function failedSignIn(cause: unknown): Problem {
  const message =
    'The identity service did not complete it. Trying again may help; this application logged the reason.';
  return new Problem(502, 'The sign-in did not work', message, 'Try again', cause);
}

/** The refresh token is no longer good: expired, revoked, or the account was disabled. */
export function endedSignIn(): Problem {
  return new Problem(401, 'Your sign-in has ended', 'Please sign in again to go on.', 'Sign in');
}

export function unreachableProvider(cause: unknown): Problem {
  const message = 'This application cannot reach it at the moment. Please try again in a minute.';
  return new Problem(502, 'The identity service does not answer', message, 'Try again', cause);
}

/** The CSRF token of a posted form does not belong to the session. */
export function staleForm(): Problem {
  const message = 'You have signed in or out since it was shown, so nothing was done.';
  return new Problem(403, 'This form is no longer valid', message, 'Back to the start');
}

export function unexpected(cause: unknown): Problem {
  const message = 'That is our fault. This application logged the reason.';
  return new Problem(500, 'Something went wrong', message, 'Back to the start', cause);
}
