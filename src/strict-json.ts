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

const QUOTE = 0x22;
const COMMA = 0x2c;
const [OPEN_OBJECT, CLOSE_OBJECT] = [0x7b, 0x7d];
const [OPEN_ARRAY, CLOSE_ARRAY] = [0x5b, 0x5d];

/** Walks text that JSON.parse accepted, so that what is not a string or punctuation can be skipped unread. */
function isUnambiguous(json: string): boolean {
  // The member names met so far of each open object; undefined for an open array.
  const open: (Set<string> | undefined)[] = [];
  let nameComes = false;
  for (let at = 0; at < json.length; at += 1) {
    const character = json.charCodeAt(at);
    if (character === OPEN_OBJECT || character === OPEN_ARRAY) {
      nameComes = character === OPEN_OBJECT;
      open.push(nameComes ? new Set() : undefined);
      if (open.length > maxDepth) return false;
    } else if (character === CLOSE_OBJECT || character === CLOSE_ARRAY) {
      open.pop();
      nameComes = false;
    } else if (character === COMMA) {
      nameComes = open.at(-1) !== undefined;
    } else if (character === QUOTE) {
      const end = endOfString(json, at);
      if (nameComes && !addName(open.at(-1), JSON.parse(json.slice(at, end + 1)))) return false;
      nameComes = false;
      at = end;
    }
  }
  return true;
}

/** False when it is there already. */
function addName(names: Set<string> | undefined, name: string): boolean {
  const before = names?.size;
  return names?.add(name).size !== before;
}

/** The index of the quote that ends the string which begins at `start`: the first one without an odd run of `\\` before it. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); ; end = json.indexOf('"', end + 1)) {
    let escapes = 0;
    while (json[end - 1 - escapes] === '\\') escapes += 1;
    if (escapes % 2 === 0) return end;
  }
}
