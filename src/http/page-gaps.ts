// A page that was rendered once for many requests, with gaps for what tells them apart.

/** What stands in a gap of the page, by the gap's name. */
type Fillings<Name extends string> = Record<Name, string>;

/** The first of the characters that no text contains (Unicode 23.7, noncharacters), one of which stands for each gap. */
const FIRST = 0xfdd1;
const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/**
 * Renders a page whose gaps are filled later, as often as it is needed and at next to no cost. Fillings are escaped as a
 * template would escape them, in text and in attributes.
 */
export function renderWithGaps<Name extends string>(
  names: readonly Name[],
  render: (gaps: Fillings<Name>) => string,
): (fillings: Fillings<Name>) => string {
  const byCharacter = new Map(names.map((name, at) => [String.fromCharCode(FIRST + at), name]));
  const gaps = Object.fromEntries([...byCharacter].map(([character, name]) => [name, character])) as Fillings<Name>;
  const pieces = render(gaps).split(new RegExp(`([${[...byCharacter.keys()].join('')}])`));
  return (fillings) => {
    let html = '';
    for (const piece of pieces) {
      const name = byCharacter.get(piece);
      html += name === undefined ? piece : escaped(fillings[name]);
    }
    return html;
  };
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
