// What the demo says.

/** What somebody needs to try the demo. URLs have no trailing slash. */
export interface DemoFacts {
  readonly providerUrl: string;
  readonly clientUrl: string;
  readonly loggingUrl: string;
  readonly username: string;
  readonly password: string;
  readonly audience: string;
  /** whether this start made `.env` */
  readonly firstRun: boolean;
  /** whether anybody gets a service token without credentials */
  readonly openTokens: boolean;
}

export function readyText(facts: DemoFacts): string {
  const { providerUrl, clientUrl, loggingUrl, username, password } = facts;
  return `
  The demo is running.

    Sample client       ${clientUrl}    <- start here
    Identity provider   ${providerUrl}
    Logging back end    ${loggingUrl}

    Account             ${username}
    Password            ${password}
${facts.firstRun ? firstRunText : ''}
  Try this:

    1. Open ${clientUrl} and click "Sign in".
    2. Sign in with the account above. You come back to the sample client, which shows your claims.
    3. Type a message and click "Write a log line". Under "Latest lines" you see yours among the provider's own.
    4. Click "Sign out".
${facts.openTokens ? tokenText(facts) : ''}
  Ctrl-C ends all three.

`;
}

const firstRunText = `
  This was the first start: it made .env with random secrets and this password. The file is yours alone (mode 0600),
  git ignores it, and the next start uses it again. Data is kept in the folder data. Delete both to start afresh.
`;

function tokenText({ providerUrl, loggingUrl, audience }: DemoFacts): string {
  return `
  And this, as a service would, in another terminal (a token without credentials: only in this demo):

    TOKEN=$(curl -s -X POST ${providerUrl}/token -H "Content-Type: application/json" \\
      -d '{"sub":"careergpt-backend","aud":"${audience}"}' | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')

    curl -X POST ${providerUrl}/verify -H "Content-Type: application/json" \\
      -d "{\\"token\\":\\"$TOKEN\\",\\"aud\\":\\"${audience}\\"}"; echo

    curl -X POST ${loggingUrl}/log -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
      -d '{"service":"careergpt","level":"INFO","message":"Hello from a service","context":{"user":"alice"}}'; echo

    curl "${loggingUrl}/logs?limit=5" -H "Authorization: Bearer $TOKEN"; echo
`;
}

/** `variable` chooses another port. */
export function portTakenText(port: number, purpose: string, variable: string): string {
  return `Port ${port} is in use, and the ${purpose} needs it. End what listens there, or choose another port:

    ${variable}=${port + 10} npm run demo
`;
}

/** A program of the demo ended by itself. */
export function endedText(name: string, lastLines: readonly string[]): string {
  const lines = lastLines.map((line) => `    ${line}\n`).join('');
  return `\n  "${name}" ended unexpectedly, so the demo ends. Its last lines:\n\n${lines || '    (it said nothing)\n'}\n`;
}

/**
 * A line of a program as the demo shows it. Of a JSON log (the provider's) the level and the message come first, and
 * only warnings and worse are shown unless `verbose`; other lines are shown as they are, except the samples' greeting.
 */
export function shownLine(name: string, line: string, verbose: boolean): string | undefined {
  if (line.startsWith('listening on ') && !verbose) return undefined;
  const { level, msg, time: _time, pid: _pid, hostname: _hostname, ...rest } = parseLogLine(line);
  if (typeof level !== 'number') return `${name} | ${line}\n`;
  if (level < warning && !verbose) return undefined;
  return `${name} | ${levelNames[level] ?? level} ${msg ?? ''} ${JSON.stringify(rest)}\n`;
}

const warning = 40;
const levelNames: Record<number, string> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
};

function parseLogLine(line: string): Record<string, unknown> {
  if (!line.startsWith('{')) return {};
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}
