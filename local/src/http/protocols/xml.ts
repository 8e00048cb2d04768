const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#xD;',
};

/** Text for an XML element. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"\r]/g, (each) => ESCAPES[each] ?? each);
}
