// Makes an installation's one colour into those of buttons and links that can be read in light and dark.

/** sRGB, each channel 0…1 */
type Color = readonly [number, number, number];

const WHITE: Color = [1, 1, 1];
const BLACK: Color = [0, 0, 0];
/** Contrast that text needs with what is behind it (WCAG 2.2 §1.4.3). */
const READABLE = 4.5;
/** The grounds of the stylesheet on which links are hardest to read. */
export const GROUNDS = { light: '#e8eeec', dark: '#24302e' } as const;

/**
 * Rules that put `color` in the place of the stylesheet's own accent. A button has the very colour, with black or white
 * words on it; links get as much darker or lighter as they need to be read on every ground of ours (WCAG 2.2 §1.4.3).
 * @param color `#rrggbb`
 */
export function accentStyle(color: string): string {
  const button = parse(color);
  const words = contrast(button, WHITE) >= READABLE ? WHITE : BLACK;
  const buttons = [
    `--button: ${hex(button)}`,
    `--button-hover: ${hex(mix(button, words === WHITE ? BLACK : WHITE, 0.15))}`,
    `--on-button: ${hex(words)}`,
  ];
  const light = [...buttons, ...links(button, parse(GROUNDS.light), BLACK)].join('; ');
  const dark = [...buttons, ...links(button, parse(GROUNDS.dark), WHITE)].join('; ');
  return `:root { ${light}; } @media (prefers-color-scheme: dark) { :root { ${dark}; } }`;
}

/** (L1 + 0.05) / (L2 + 0.05), 1…21 (WCAG 2.2, definition of contrast ratio). */
export function contrastRatio(one: string, other: string): number {
  return contrast(parse(one), parse(other));
}

function links(color: Color, ground: Color, towards: Color): string[] {
  let share = 0;
  while (share < 1 && contrast(rounded(mix(color, towards, share)), ground) < READABLE) share += 1 / 64;
  const link = mix(color, towards, share);
  return [`--accent: ${hex(link)}`, `--accent-hover: ${hex(mix(link, towards, 0.2))}`];
}

function contrast(one: Color, other: Color): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** WCAG 2.2, definition of relative luminance. */
function luminance(color: Color): number {
  const [red, green, blue] = color.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as [
    number,
    number,
    number,
  ];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function mix(color: Color, other: Color, share: number): Color {
  return color.map((channel, index) => channel + ((other[index] ?? 0) - channel) * share) as unknown as Color;
}

function parse(color: string): Color {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255) as unknown as Color;
}

/** As a browser will see it. */
function rounded(color: Color): Color {
  return parse(hex(color));
}

function hex(color: Color): string {
  return `#${color
    .map((channel) =>
      Math.round(channel * 255)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
}
