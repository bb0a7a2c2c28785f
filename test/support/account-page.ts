// A browser on the account page: opens its pages, signs in when it is asked to, and submits its forms.
import assert from 'node:assert/strict';
import { PASSWORD } from './relying-party.ts';
import type { Service } from './service.ts';
import { createUserAgent, type Page, type UserAgent } from './user-agent.ts';

/** Opens a page of the account page (a path below `/account`), through the sign-in page when it is shown. */
export async function openAccountPage(
  { issuer }: Pick<Service, 'issuer'>,
  agent: UserAgent,
  path = '',
  { login = 'alice', password = PASSWORD, remember = false } = {},
): Promise<Page> {
  const page = await agent.open(`${issuer}/account${path}`);
  if (!page.document.querySelector('#sign-in')) return page;
  return agent.submit(page, { login, password, remember: remember ? 'yes' : 'no' });
}

/** A browser that is signed in to the account page. */
export async function accountAgent(service: Service, login = 'alice', password = PASSWORD): Promise<UserAgent> {
  const agent = createUserAgent(service.origin);
  const page = await openAccountPage(service, agent, '', { login, password });
  assert.equal(page.url, `${service.issuer}/account`, page.text);
  return agent;
}

/** The sentence that the page begins with after a change. */
export function outcomeOf({ document }: Page): string | undefined {
  return document.querySelector('#notice')?.text;
}

/** What is wrong with the form. */
export function errorOf({ document }: Page): string | undefined {
  return document.querySelector('#error')?.text.trim();
}

/** The lines of the page's list, as one text each. */
export function itemsOf({ document }: Page): string[] {
  return document.querySelectorAll('.items > li').map(({ text }) => text.replace(/\s+/g, ' ').trim());
}
