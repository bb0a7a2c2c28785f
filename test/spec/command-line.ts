// Runs the commands that the specification prints: curl by a shell, and PowerShell by what its web request means.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a command printed. @throws Error when it fails */
export async function shell(command: string): Promise<string> {
  return (await run('sh', ['-ec', command])).stdout;
}

/** Whether this machine has the program. */
export async function hasProgram(name: string): Promise<boolean> {
  return shell(`command -v ${name}`).then(
    () => true,
    () => false,
  );
}

/** The parameters of PowerShell's `Invoke-RestMethod` that the specification uses. */
export interface RestMethod {
  readonly uri: string;
  readonly method?: 'POST';
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/**
 * What `Invoke-RestMethod` sends and answers: JSON as objects, other text as it is.
 * @throws Error for a status of 400 or above, as PowerShell does
 */
export async function invokeRestMethod({ uri, method, headers = {}, body }: RestMethod): Promise<unknown> {
  const response = await fetch(uri, {
    ...(method && { method }),
    ...(body !== undefined && { body }),
    headers: { 'User-Agent': 'Mozilla/5.0 (Windows NT; en-US) WindowsPowerShell/5.1', ...headers },
  });
  const text = await response.text();
  if (response.status >= 400) throw new Error(`${response.status} ${text}`);
  return response.headers.get('content-type')?.startsWith('application/json') ? JSON.parse(text) : text;
}
