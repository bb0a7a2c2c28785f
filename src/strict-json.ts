// Reads JSON of strangers so that no two programs can read it differently: one spelling, one value per member.

const maxDepth = 16;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The JSON object in these bytes, or undefined when they are anything else: not UTF-8, a byte order mark, not JSON, not
 * an object, nested deeper than 16, or a member named twice at any level. JSON.parse takes the last of two members, other
 * parsers the first (RFC 8259 §4), and a check on one value must not vouch for the other (RFC 7515 §4, RFC 7519 §4).
 */
export function parseStrictObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  let text: string;
  let value: unknown;
  try {
    text = utf8.decode(bytes);
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return isUnambiguous(text) ? (value as Record<string, unknown>) : undefined;
}

/** Walks text that JSON.parse accepted, so that what is not a string or punctuation can be skipped unread. */
function isUnambiguous(json: string): boolean {
  // The member names met so far of each open object; undefined for an open array.
  const open: (Set<string> | undefined)[] = [];
  let nameComes = false;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],]/g)) {
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : undefined);
      nameComes = token === '{';
      if (open.length > maxDepth) return false;
    } else if (token === '}' || token === ']') {
      open.pop();
      nameComes = false;
    } else if (token === ',') {
      nameComes = open.at(-1) !== undefined;
    } else if (nameComes) {
      const names = open.at(-1);
      const name: string = JSON.parse(token);
      if (names?.has(name)) return false;
      names?.add(name);
      nameComes = false;
    }
  }
  return true;
}
