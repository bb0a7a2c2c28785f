// Audiences, which may be plain names, and the resource indicators that stand for them, which must be URIs (RFC 8707 §2).

const namePrefix = 'urn:audience:';

/** Whether the text is an absolute URI by its syntax, a scheme before a colon. */
function isAbsoluteUri(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:/i.test(text) && URL.canParse(text);
}

/** Whether an audience is written as a URI and so is its own resource indicator. */
export function isUriAudience(audience: string): boolean {
  return isAbsoluteUri(audience) && !audience.startsWith(namePrefix);
}

/**
 * The resource indicator of an audience: a URI stands for itself, a name is put into a URN. Two audiences never share
 * one; any text has one.
 */
export function resourceIdentifier(audience: string): string {
  return isUriAudience(audience) ? audience : `${namePrefix}${encodeURIComponent(audience.toWellFormed())}`;
}

/** The audience that a resource indicator stands for: what `resourceIdentifier` turns into exactly this text, if any. */
export function audienceOf(resource: string): string {
  if (!resource.startsWith(namePrefix)) return resource;
  const name = decoded(resource.slice(namePrefix.length));
  // A URN spelled differently from the one that we write stands for nothing that is registered.
  return name !== undefined && resourceIdentifier(name) === resource ? name : resource;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
