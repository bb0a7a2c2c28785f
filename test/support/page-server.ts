// Serves every variant of every page in every language, with the headers that the service sends.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createFormScript } from '../../src/http/form-script.ts';
import { languages } from '../../src/http/languages.ts';
import { createPages, type Installation } from '../../src/http/pages.ts';
import { createPageHeaders } from '../../src/http/security-headers.ts';
import { createStylesheet } from '../../src/http/stylesheet.ts';
import { scripts } from './page-samples.ts';
import { type PageVariant, pageVariants } from './page-variants.ts';

const LOGOS: Record<string, string> = {
  '/logo.svg':
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40"><path d="M4 36 20 4l16 32z" fill="#3557b7"/><path d="M48 12h68v6H48zm0 12h48v6H48z"/></svg>',
  '/installation.svg':
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><path d="M4 4h32v18q0 12-16 16Q4 34 4 22z" fill="#5b2a86"/><path d="M18 10h4v8h8v4h-8v8h-4v-8h-8v-4h8z" fill="#fff"/></svg>',
};

export interface PageServer extends AsyncDisposable {
  readonly origin: string;
  /** @param installation a key of those that the server was started with */
  urlOf(variant: PageVariant, language: string, installation?: string): string;
}

/** @param installations by the name in a page's URL; a `logoUrl` that is a path is answered by this server */
export async function startPageServer(
  installations: Record<string, Installation> = { example: { name: 'Example Accounts' } },
): Promise<PageServer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stylesheets: Record<string, string> = {};
  const renderers = Object.fromEntries(
    Object.entries(installations).map(([key, { logoUrl, ...installation }]) => {
      const stylesheet = createStylesheet(origin, installation.color);
      stylesheets[stylesheet.path] = stylesheet.source;
      const logo = logoUrl && { logoUrl: new URL(logoUrl, origin).href };
      return [key, createPages({ ...installation, ...logo }, { stylesheet, formScript: createFormScript(origin) })];
    }),
  );
  server.on('request', (request, response) => {
    const url = new URL(request.url ?? '/', origin);
    const script = scripts.find(({ path }) => path === url.pathname);
    if (script !== undefined) {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(script.source);
      return;
    }
    const stylesheet = stylesheets[url.pathname];
    if (stylesheet !== undefined) {
      response.writeHead(200, { 'content-type': 'text/css; charset=utf-8' }).end(stylesheet);
      return;
    }
    const [, installation = '', language, what] = url.pathname.split('/');
    const pages = renderers[installation];
    const variant = pageVariants.find((one) => one.what === what);
    const texts = languages.find((one) => one.language === language);
    if (!pages || !variant || !texts) {
      response.writeHead(200, { 'content-type': 'image/svg+xml' }).end(LOGOS[url.pathname]);
      return;
    }
    const locals = withLogo(variant.locals(texts), `${origin}/logo.svg`);
    const headers = createPageHeaders(pages.styleSrc)({
      imgSrc: [...pages.images, origin],
      scriptSrc: scripts.map(({ path }) => `${origin}${path}`),
    });
    response.writeHead(200, { ...headers, 'content-type': 'text/html; charset=utf-8' });
    response.end(pages.render(variant.name, locals as never, texts));
  });
  return {
    origin,
    urlOf: ({ what }, language, installation = Object.keys(installations)[0]) =>
      `${origin}/${installation}/${language}/${what}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A logo of the client that this server has. */
function withLogo(locals: object, logoUri: string): object {
  if (!('client' in locals) || typeof locals.client !== 'object') return locals;
  return { ...locals, client: { ...locals.client, logoUri } };
}
