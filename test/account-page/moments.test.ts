// How moments are written: so that nobody takes the month for the day, nor the evening for the morning.
import assert from 'node:assert/strict';
import { momentOf } from '../../src/account-page/moments.ts';
import { languages } from '../../src/http/languages.ts';

describe('account page: moments', () => {
  const written: Record<string, string> = { en: '9 Nov 2026, 19:05 UTC', de: '9. Nov. 2026, 19:05 UTC' };

  for (const { language, dates } of languages) {
    it(`are the same in every region of "${language}"`, () => {
      const { text, iso } = momentOf(Date.UTC(2026, 10, 9, 19, 5) / 1000, dates);
      assert.equal(text, written[language]);
      assert.equal(iso, '2026-11-09T19:05:00.000Z');
    });
  }
});
