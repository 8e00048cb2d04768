import type {
  GetSMSAttributesCommandInput,
  GetSMSAttributesResponse,
  SetSMSAttributesCommandInput,
} from '@aws-sdk/client-sns';
import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { invalidParameter } from '../errors.ts';

/** Those that say who sends and what it may cost; the ones on delivery logs and usage reports are refused. */
const KNOWN = ['DefaultSenderID', 'DefaultSMSType', 'MonthlySpendLimit'];

/** The account's settings for text messages, kept and given back. */
export function smsAttributeOperations(kept: Map<string, string>): Readonly<Record<string, AnyOperation>> {
  return {
    SetSMSAttributes: operation<SetSMSAttributesCommandInput, object>({
      permissions: () => [{ action: 'sns:SetSMSAttributes', resource: '*' }],
      run({ attributes = {} }) {
        for (const [name, value] of Object.entries(attributes)) check(name, value);
        for (const [name, value] of Object.entries(attributes)) kept.set(name, value);
        return {};
      },
    }),
    GetSMSAttributes: operation<GetSMSAttributesCommandInput, GetSMSAttributesResponse>({
      permissions: () => [{ action: 'sns:GetSMSAttributes', resource: '*' }],
      run({ attributes: names = [] }) {
        const wanted = [...kept].filter(([name]) => names.length === 0 || names.includes(name));
        return { attributes: Object.fromEntries(wanted) };
      },
    }),
  };
}

function check(name: string, value: string): void {
  if (!KNOWN.includes(name)) {
    throw invalidParameter(`attributes Reason: ${name}; the local runtime knows ${KNOWN.join(', ')}`);
  }
  if (name === 'DefaultSMSType' && value !== 'Promotional' && value !== 'Transactional') {
    throw invalidParameter('attributes Reason: DefaultSMSType is Promotional or Transactional');
  }
}
