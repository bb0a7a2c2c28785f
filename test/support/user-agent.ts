// A browser without a screen: keeps cookies, follows redirects by hand, and fills in forms.
import { type HTMLElement, parse } from 'node-html-parser';
import { type Cookie, CookieJar } from 'tough-cookie';

/** A page as it was answered. */
export interface Page {
  readonly url: string;
  readonly response: Response;
  readonly text: string;
  readonly document: HTMLElement;
}

export interface UserAgent {
  readonly cookies: CookieJar;
  /** The cookie of that name which the whole origin gets. */
  cookie(name: string): Promise<Cookie | undefined>;
  /** One request, cookies included, no redirect followed. */
  fetch(url: string, init?: RequestInit): Promise<Response>;
  /** Follows redirects as long as they stay on `stayOn` (an origin); the last answer, whatever it is. */
  open(url: string, init?: RequestInit): Promise<Page>;
  /** Submits the page's first form whose button has this id, or its first form, with these values. */
  submit(page: Page, values?: Record<string, string>, button?: string): Promise<Page>;
}

/**
 * @param origin redirects elsewhere are not followed; the page then has that `location`
 * @param options `fetch` sends the requests
 */
export function createUserAgent(origin: string, { fetch: send = fetch } = {}): UserAgent {
  const cookies = new CookieJar();

  async function fetchWithCookies(url: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has('accept')) headers.set('accept', 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8');
    const cookie = await cookies.getCookieString(url);
    if (cookie) headers.set('cookie', cookie);
    const response = await send(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) await cookies.setCookie(line, url);
    return response;
  }

  async function open(url: string, init: RequestInit = {}): Promise<Page> {
    let target = url;
    let request = init;
    for (let hop = 0; hop < 10; hop += 1) {
      const response = await fetchWithCookies(target, request);
      const location = response.headers.get('location');
      const next = location === null ? undefined : new URL(location, target);
      if (response.status < 300 || response.status > 399 || next?.origin !== origin) {
        const text = await response.text();
        return { url: target, response, text, document: parse(text) };
      }
      await response.body?.cancel();
      target = next.href;
      request = {};
    }
    throw new Error(`too many redirects from ${url}`);
  }

  return {
    cookies,
    cookie: async (name) => (await cookies.getCookies(origin)).find(({ key }) => key === name),
    fetch: fetchWithCookies,
    open,
    submit(page, values = {}, button) {
      const form = formOf(page, button);
      const body = new URLSearchParams();
      for (const input of form.querySelectorAll('input')) {
        const name = input.getAttribute('name');
        const isSent = input.getAttribute('type') !== 'checkbox' || input.hasAttribute('checked');
        if (name && isSent) body.set(name, input.getAttribute('value') ?? '');
      }
      const pressed = button === undefined ? undefined : page.document.querySelector(`#${button}`);
      const pressedName = pressed?.getAttribute('name');
      if (pressedName) body.set(pressedName, pressed?.getAttribute('value') ?? '');
      for (const [name, value] of Object.entries(values)) body.set(name, value);
      const target = pressed?.getAttribute('formaction') ?? form.getAttribute('action');
      const action = new URL(target ?? '', page.url).href;
      return open(action, { method: 'POST', body });
    },
  };
}

function formOf({ document, text }: Page, button: string | undefined): HTMLElement {
  const pressed = button === undefined ? undefined : document.querySelector(`#${button}`);
  const named = pressed?.getAttribute('form') ?? undefined;
  const form = named
    ? document.querySelector(`form#${named}`)
    : (pressed?.closest('form') ?? document.querySelector('form'));
  if (!form) throw new Error(`there is no form on this page:\n${text}`);
  return form;
}
