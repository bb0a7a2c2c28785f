// What people call a browser and the system that it runs on, as far as its `User-Agent` tells.

/** The more special ones first: most say that they are Safari, too. */
const BROWSERS: readonly [name: string, pattern: RegExp][] = [
  ['Edge', /\bEdg(e|A|iOS)?\//],
  ['Opera', /\b(OPR|Opera)\//],
  ['Samsung Internet', /\bSamsungBrowser\//],
  ['Firefox', /\b(Firefox|FxiOS)\//],
  ['Chrome', /\b((Headless)?Chrome|Chromium|CriOS)\//],
  ['Safari', /\bSafari\//],
];

const SYSTEMS: readonly [name: string, pattern: RegExp][] = [
  ['iPhone', /\biPhone\b/],
  ['iPad', /\biPad\b/],
  ['Android', /\bAndroid\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['Windows', /\bWindows\b/],
  ['macOS', /\bMac OS X\b/],
  ['Linux', /\bLinux\b/],
];

/** @param words `on` puts a browser on a system */
export function describeBrowser(
  agent: string | undefined,
  words: { unknownBrowser: string; on(browser: string, system: string): string },
): string {
  const nameIn = (table: typeof BROWSERS) => table.find(([, pattern]) => pattern.test(agent ?? ''))?.[0];
  const [browser, system] = [nameIn(BROWSERS), nameIn(SYSTEMS)];
  if (browser && system) return words.on(browser, system);
  return browser ?? system ?? words.unknownBrowser;
}
