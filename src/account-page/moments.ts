// Moments as people read them: in their language, and in UTC, since nobody knows where they are.
import type { Moment } from '../http/account-page-contents.ts';

const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * @param at epoch seconds
 * @param language the tag that the texts name for `dates`
 */
export function momentOf(at: number, language: string): Moment {
  const format = formats.get(language) ?? createFormat(language);
  formats.set(language, format);
  const date = new Date(at * 1000);
  return { text: format.format(date), iso: date.toISOString() };
}

function createFormat(language: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(language, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZone: 'UTC',
    timeZoneName: 'short',
  });
}
