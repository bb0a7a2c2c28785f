// The real Chromium of the browser stories: unpacks it from its npm package and starts it with the network shut off.
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtempDisposable, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';

const run = promisify(execFile);

const CACHE = resolve(import.meta.dirname, '../../node_modules/.cache/identity-backend');

// Beside what Playwright itself passes: no graphics card, no UDP, and no name or address but loopback's.
const ARGUMENTS = [
  '--disable-gpu',
  '--disable-quic',
  '--disable-domain-reliability',
  '--no-pings',
  '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE *.localhost , EXCLUDE 127.0.0.1 , EXCLUDE [::1]',
];

/**
 * Starts a headless Chromium with a profile of its own, which can reach nothing but this machine's loopback addresses.
 * The caller closes it; closing ends its processes and removes its profile. The first call on a fresh checkout unpacks
 * the browser below `node_modules/.cache` (about 210 MB, two seconds); simultaneous first calls are safe.
 */
export async function openBrowser(): Promise<Browser> {
  const folder = await unpackedChromium();
  return chromium.launch({
    executablePath: join(folder, 'chromium'),
    args: ARGUMENTS,
    chromiumSandbox: false,
    // Playwright's own answer to it ends the browser, and lets the process live on
    handleSIGTERM: false,
    env: await browserEnvironment(folder, process.env),
  });
}

/** A browser beside what it looks at, started at the same time; when one of them does not start, the other one is ended. */
export async function openBrowserBeside<Started extends AsyncDisposable>(
  starting: Promise<Started>,
): Promise<[Browser, Started]> {
  const [browser, started] = await Promise.allSettled([openBrowser(), starting]);
  if (browser.status === 'rejected') {
    if (started.status === 'fulfilled') await started.value[Symbol.asyncDispose]();
    throw browser.reason;
  }
  if (started.status === 'fulfilled') return [browser.value, started.value];
  await browser.value.close();
  throw started.reason;
}

/**
 * The folder with the unpacked `chromium`, its `fonts` and the libraries it carries in `al2023/lib`, unpacked below
 * `cache` when that has not happened yet.
 */
export async function unpackedChromium(cache = CACHE): Promise<string> {
  const { version } = createRequire(import.meta.url)(join(packageFolder(), 'package.json')) as { version: string };
  const folder = join(cache, `chromium-${version}`);
  if (await exists(folder)) return folder;
  await mkdir(cache, { recursive: true });
  await using staging = await mkdtempDisposable(join(cache, 'unpacking-'));
  await unpack(staging.path);
  await writeFile(join(staging.path, 'fonts.conf'), fontConfiguration(folder));
  try {
    await rename(staging.path, folder);
  } catch (error) {
    // Another process was faster: its folder is complete, because a folder gets this name only by a rename.
    if (!(await exists(folder))) throw error;
  }
  return folder;
}

/**
 * The environment that the unpacked Chromium starts in: the fonts it carries, so that pages measure the same everywhere,
 * and the libraries it carries where the system lacks one of them (a Debian without libnss3).
 */
export async function browserEnvironment(folder: string, base: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const environment: Record<string, string> = { FONTCONFIG_FILE: join(folder, 'fonts.conf') };
  for (const [name, value] of Object.entries(base)) {
    if (value !== undefined) environment[name] ??= value;
  }
  if (!(await findsItsLibraries(join(folder, 'chromium'), environment))) {
    const carried = join(folder, 'al2023', 'lib');
    environment['LD_LIBRARY_PATH'] = [carried, environment['LD_LIBRARY_PATH']].filter(Boolean).join(delimiter);
  }
  return environment;
}

/** Whether the dynamic loader resolves every library of `program`; false when `ldd` itself is missing. */
async function findsItsLibraries(program: string, environment: Record<string, string>): Promise<boolean> {
  try {
    const { stdout } = await run('ldd', [program], { env: environment });
    return !stdout.includes('not found');
  } catch {
    return false;
  }
}

/**
 * Has the package unpack itself into `target`. It writes to the folder for temporary files and adds its libraries only
 * where it believes to be on Lambda, hence a child process with both set in its environment alone.
 */
async function unpack(target: string): Promise<void> {
  const program = `import chromium from ${JSON.stringify(import.meta.resolve('@sparticuz/chromium'))};
    await chromium.executablePath();`;
  await run(process.execPath, ['--input-type=module', '--eval', program], {
    env: { PATH: process.env['PATH'], TMPDIR: target, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' },
  });
}

function packageFolder(): string {
  return resolve(import.meta.dirname, '../../node_modules/@sparticuz/chromium');
}

function fontConfiguration(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(folder, 'fonts')}</dir>
  <cachedir>${join(folder, 'fonts-cache')}</cachedir>
</fontconfig>
`;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
