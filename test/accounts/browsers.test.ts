// What browsers are called, by what they say of themselves.
import assert from 'node:assert/strict';
import { describeBrowser } from '../../src/accounts/browsers.ts';
import { en } from '../../views/texts/en.ts';

const webkit = (inside: string, after: string) =>
  `Mozilla/5.0 (${inside}) AppleWebKit/537.36 (KHTML, like Gecko) ${after} Safari/537.36`;
const windows = 'Windows NT 10.0; Win64; x64';

describe('A browser', () => {
  for (const [agent, name] of [
    [webkit(windows, 'Chrome/140.0.0.0'), 'Chrome on Windows'],
    [webkit(windows, 'Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0'), 'Edge on Windows'],
    [webkit('X11; Linux x86_64', 'Chrome/140.0.0.0 Safari/537.36 OPR/120.0.0.0'), 'Opera on Linux'],
    [
      webkit('Linux; Android 15; SM-S931B', 'SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile'),
      'Samsung Internet on Android',
    ],
    [webkit('Linux; Android 15', 'Chrome/140.0.0.0 Mobile'), 'Chrome on Android'],
    [webkit('X11; CrOS x86_64 14541.0.0', 'Chrome/140.0.0.0'), 'Chrome on ChromeOS'],
    [webkit('Macintosh; Intel Mac OS X 10_15_7', 'Version/18.0'), 'Safari on macOS'],
    [webkit('iPhone; CPU iPhone OS 18_0 like Mac OS X', 'CriOS/140.0.0.0 Mobile/15E148'), 'Chrome on iPhone'],
    [webkit('iPad; CPU OS 18_0 like Mac OS X', 'FxiOS/140.0 Mobile/15E148'), 'Firefox on iPad'],
    [webkit('X11; Linux x86_64', 'HeadlessChrome/147.0.0.0'), 'Chrome on Linux'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
    ['Lynx/2.9.2 (Linux)', 'Linux'],
    ['curl/8.10.1', 'Unknown browser'],
    ['', 'Unknown browser'],
    [undefined, 'Unknown browser'],
  ] as const) {
    it(`that says ${JSON.stringify(agent)} is called ${name}`, () => {
      assert.equal(describeBrowser(agent, en['account-sessions']), name);
    });
  }
});
