import { AwsError } from '../../kernel/errors.ts';

/**
 * Compiles a filter pattern of terms: all plain terms must be in the message, one of the `?optional` ones, and none of
 * the `-excluded` ones; `"quoted"` terms may hold spaces.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
 *
 * @throws AwsError NotEmulated for patterns on JSON members, on space-delimited columns and for regular expressions
 */
export function compileFilterPattern(pattern: string | undefined): (message: string) => boolean {
  const text = pattern?.trim() ?? '';
  if (text === '') return () => true;
  if (/^[{[]|^%/.test(text)) {
    throw new AwsError('NotEmulated', `The local runtime does not emulate the filter pattern ${text}; use terms.`, 501);
  }
  const terms = [...text.matchAll(/([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))/g)].map(([, sign, quoted, plain]) => ({
    sign,
    term: quoted?.replaceAll(/\\(.)/g, '$1') ?? plain ?? '',
  }));
  const having = (wanted: string) => terms.filter(({ sign }) => sign === wanted).map(({ term }) => term);
  const [required, optional, excluded] = [having(''), having('?'), having('-')];
  return (message) =>
    required.every((term) => message.includes(term)) &&
    (optional.length === 0 || optional.some((term) => message.includes(term))) &&
    !excluded.some((term) => message.includes(term));
}
